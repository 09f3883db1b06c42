/**
 * A block on its page, starting from its composer or from an existing stream. The address follows
 * what it shows.
 */
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';

import { BlockFor, useSite } from '../blocks';
import { BlockGone } from './BlockGone';
import { blockPath, type Scene, type Scenes, streamPath } from './scenes';
import { StreamPage } from './StreamPage';
import type { Address } from './types';
import { useAnswerActions } from './useAnswerActions';
import { titleWords, usePage } from './usePage';

export interface BlockSceneProps {
  scene: Scene;
  scenes: Scenes;
  /** Reports which block is shown, as soon as it is known. */
  onBlock(slug: string): void;
}

export function BlockScene({ scene, scenes, onBlock }: BlockSceneProps) {
  const { origin } = scene;
  const address = useAddress(scene, scenes);
  return origin.kind === 'block' ? (
    <BlockPage slug={origin.slug} ask={origin.ask} address={address} onBlock={onBlock} />
  ) : (
    <StreamPage streamId={origin.streamId} address={address} onBlock={onBlock} />
  );
}

function useAddress(scene: Scene, scenes: Scenes): Address {
  const [path, navigate] = useLocation();
  // After input from another page's composer, Back leads to that page instead of an empty composer
  // here.
  const isHandedOver = useRef(scene.origin.kind === 'block' && scene.origin.ask !== undefined);
  const go = (next: string, replace: boolean) => {
    if (scenes.move(scene, next)) navigate(next, { replace });
  };

  const shownAt = useRef(path);
  useEffect(() => {
    // Only the address has changed, so the title is taken from the heading.
    const heading = document.querySelector('main h1')?.textContent;
    if (shownAt.current !== path && heading) document.title = titleWords(heading);
    shownAt.current = path;
  }, [path]);

  return {
    started(streamId) {
      go(streamPath(streamId), isHandedOver.current);
      isHandedOver.current = false;
    },
    composing(slug) {
      isHandedOver.current = false;
      go(blockPath(slug), false);
    },
  };
}

interface BlockPageProps {
  slug: string;
  ask: Parameters<typeof BlockFor>[0]['initialAsk'];
  address: Address;
  onBlock(slug: string): void;
}

function BlockPage({ slug, ask, address, onBlock }: BlockPageProps) {
  const { blocks, config } = useSite();
  const actions = useAnswerActions();
  const current = blocks?.find((other) => other.slug === slug);
  // A block that is switched off meanwhile takes neither an answer nor a draft away.
  const [block, setBlock] = useState(current);
  if (current && current !== block) setBlock(current);
  usePage(block ? (ask?.prompt ?? block.title) : 'This block doesn’t exist');
  useEffect(() => onBlock(slug), [slug, onBlock]);
  if (!block) return <BlockGone />;
  return (
    <>
      <BlockFor
        block={block}
        initialAsk={ask}
        isDemoModel={config?.demo_model}
        onStarted={address.started}
        onAskElse={() => address.composing(slug)}
        {...actions}
      />
      {!current && <p className="page-note">This block is no longer here. Its answers stay in your history.</p>}
    </>
  );
}
