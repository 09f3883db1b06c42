/** An existing stream: opened again, or followed while it runs. */
import { useCallback, useEffect, useEffectEvent, useRef, useState } from 'react';

import type { BlockInfo, StreamProblem, StreamResource } from '@liveai/client';
import { BlockFor, isUnreached, useSite } from '../blocks';
import { type OpenedStream, openStream } from './openStream';
import { WaysOn } from './NotFound';
import { problemOf, useApi } from './pagesApi';
import { Problem } from './Problem';
import type { Address } from './types';
import { useAnswerActions } from './useAnswerActions';
import { usePage } from './usePage';

export interface StreamPageProps {
  streamId: string;
  address: Address;
  onBlock(slug: string): void;
}

type Opened = { is: 'opening' } | { is: 'failed'; problem: StreamProblem } | ({ is: 'open' } & OpenedStream);

export function StreamPage({ streamId, address, onBlock }: StreamPageProps) {
  const { blocks, config } = useSite();
  const [opened, again] = useStream(streamId);
  const actions = useAnswerActions();
  const stream = opened.is === 'open' ? opened.stream : undefined;
  usePage(opened.is === 'failed' ? titleOf(opened.problem) : stream?.prompt);
  const blockType = stream?.block_type;
  useEffect(() => {
    if (blockType !== undefined) onBlock(blockType);
  }, [blockType, onBlock]);

  if (opened.is === 'opening') return <p className="page-waiting">Opening the answer…</p>;
  if (opened.is === 'failed') return <Unopened problem={opened.problem} onAgain={again} />;
  const known = blocks?.find((block) => block.slug === opened.stream.block_type);
  return (
    <>
      <BlockFor
        block={known ?? blockOfGone(opened.stream)}
        stream={opened.stream}
        earlier={opened.earlier}
        {...actions}
        isDemoModel={config?.demo_model}
        onStarted={address.started}
        onAskElse={() => address.composing(opened.stream.block_type)}
      />
      {!known && (
        <p className="page-note">The block that wrote this answer was removed. Its answers stay in your history.</p>
      )}
    </>
  );
}

function useStream(streamId: string): [Opened, () => void] {
  const api = useApi();
  const { connection } = useSite();
  const [opened, setOpened] = useState<Opened>({ is: 'opening' });
  const open = useCallback(() => {
    let isCurrent = true;
    openStream(api, streamId).then(
      (found) => isCurrent && setOpened({ is: 'open', ...found }),
      (reason: unknown) => isCurrent && setOpened({ is: 'failed', problem: problemOf(reason) }),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, streamId]);
  useEffect(open, [open]);
  const again = () => {
    setOpened({ is: 'opening' });
    open();
  };
  const before = useRef(connection);
  const comeBack = useEffectEvent(() => {
    if (opened.is === 'failed' && isUnreached(opened.problem)) again();
  });
  useEffect(() => {
    if (connection === 'up' && before.current !== 'up') comeBack();
    before.current = connection;
  }, [connection]);
  return [opened, again];
}

function titleOf({ code }: StreamProblem): string {
  if (code === 'not_authenticated') return 'Sign in to see this answer';
  return code === 'not_found' ? 'Answer not found' : 'An answer';
}

function Unopened({ problem, onAgain }: { problem: StreamProblem; onAgain(): void }) {
  const { config, signInUrl } = useSite();
  const url = config?.user ? undefined : signInUrl?.();
  const signIn = url !== undefined && (
    <a className="button button-strong" href={url}>
      Sign in
    </a>
  );
  if (problem.code === 'not_authenticated' && signIn) {
    return (
      <div className="page-empty" role="alert">
        <h1>{titleOf(problem)}</h1>
        <p>Only the person who asked can open an answer. You’ll come back here.</p>
        <p className="page-ways">{signIn}</p>
      </div>
    );
  }
  if (problem.code !== 'not_found') {
    return (
      <>
        <h1 className="visually-hidden">{titleOf(problem)}</h1>
        <Problem title="Couldn’t open the answer." problem={problem} onAgain={onAgain} />
      </>
    );
  }
  return (
    <div className="page-empty">
      <h1>{titleOf(problem)}</h1>
      <p>It may have been deleted, or someone else asked for it. Only the person who asked can open an answer.</p>
      {signIn && (
        <>
          <p>If you asked with your account, sign in to see it.</p>
          <p className="page-ways">{signIn}</p>
        </>
      )}
      <WaysOn />
    </div>
  );
}

/** Reconstructs what is needed of a deleted block type from one of its answers. */
function blockOfGone({ block_type: slug, model, result, prompt }: StreamResource): BlockInfo {
  const has = (name: string) => Array.isArray(result?.[name]);
  const output = has('questions') ? 'quiz' : has('nodes') ? 'diagram' : result ? 'json' : 'markdown';
  const options = { type: 'object', properties: {} };
  return { slug, title: slug, description: '', output, model, options, prompt_limit: Math.max(prompt.length, 4_000), samples: [] };
}
