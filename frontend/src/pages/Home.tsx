/** The first page: one composer for every kind of block, and the latest answers. */
import { useState } from 'react';
import { Link, useLocation } from 'wouter';

import type { BlockInfo } from '../ai';
import { Composer, forgetPrompt, score, type Example, useDraft, useSite } from '../blocks';
import { useAddress } from './address';
import type { Boot } from './boot';
import { blockPath, type Scenes } from './scenes';
import { StreamRow } from './StreamRow';
import { useNow } from './Time';
import { useHistory } from './useHistory';
import { usePage } from './usePage';

const RECENT = 6;

/** Each example suits its block. Examples of disabled blocks are omitted. */
const EXAMPLES: readonly Example[] = [
  { prompt: 'What is photosynthesis?', kind: 'ask-question' },
  { prompt: 'Rivers', kind: 'quiz' },
  { prompt: 'Planning a trip', kind: 'diagram' },
];

export interface HomeProps {
  scenes: Scenes;
  boot: Boot;
}

export function Home({ scenes, boot }: HomeProps) {
  usePage('');
  const { blocks = [] } = useSite();
  return (
    <>
      <h1>What would you like to understand?</h1>
      {blocks.length > 0 ? <Ask scenes={scenes} blocks={blocks} /> : <NoBlocks boot={boot} />}
      <Recent blocks={blocks} />
    </>
  );
}

function Ask({ scenes, blocks }: { scenes: Scenes; blocks: readonly BlockInfo[] }) {
  const [, navigate] = useLocation();
  const [wanted, setKind] = useState(blocks[0]?.slug ?? '');
  const kind = blocks.some(({ slug }) => slug === wanted) ? wanted : (blocks[0]?.slug ?? '');
  const draft = useDraft('home');
  return (
    <Composer
      blocks={blocks}
      kind={kind}
      onKind={(slug) => {
        setKind(slug);
        draft.setOptions({});
      }}
      value={draft.prompt}
      onValue={draft.setPrompt}
      options={draft.options}
      onOptions={draft.setOptions}
      label="What would you like to understand?"
      placeholder="Ask anything, or paste a text to be explained"
      examples={EXAMPLES.filter((example) => blocks.some(({ slug }) => slug === example.kind))}
      onAsk={(input) => {
        scenes.handOver(kind, input);
        // The draft's state is unmounted with this page before it is written, so clear the stored
        // draft directly.
        forgetPrompt('home');
        navigate(blockPath(kind));
      }}
    />
  );
}

function Recent({ blocks }: { blocks: readonly BlockInfo[] }) {
  const { rows } = useHistory({ limit: RECENT });
  const now = useNow();
  if (rows.length === 0) return null;
  return (
    <section className="home-recent" aria-labelledby="recent">
      <h2 id="recent">Recent</h2>
      <ul className="rows">
        {rows.slice(0, RECENT).map((stream) => (
          <StreamRow
            key={stream.stream_id}
            stream={stream}
            block={blocks.find((block) => block.slug === stream.block_type)}
            now={now}
            score={score(stream.stream_id)}
          />
        ))}
      </ul>
      {rows.length >= RECENT && (
        <Link className="home-all" href="/history">
          All of them
        </Link>
      )}
    </section>
  );
}

function NoBlocks({ boot }: { boot: Boot }) {
  const address = useAddress();
  return (
    <div className="page-empty">
      <p>No block is switched on, so there is nothing to ask.</p>
      {boot.isAdmin && (
        <p className="page-ways">
          <a className="button button-strong" href={address('/admin/blocks/blocktype/')}>
            Switch one on
          </a>
        </p>
      )}
    </div>
  );
}
