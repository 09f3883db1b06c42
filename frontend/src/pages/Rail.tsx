/** The site's navigation: all blocks, including the admin's, and the history. */
import { useEffect, useRef } from 'react';
import { Link, useLocation } from 'wouter';

import type { BlockInfo } from '@liveai/client';
import { writingOf } from '../blocks';
import { HistoryIcon, KindIcon, Mark } from '../look/icons';
import { blockPath } from './scenes';

export interface RailProps {
  blocks: readonly BlockInfo[];
  /** The slug of the block that is shown. */
  current: string | undefined;
}

export function Rail({ blocks, current }: RailProps) {
  const [path] = useLocation();
  const list = useRef<HTMLDivElement>(null);
  const shown = blocks.find(({ slug }) => path === blockPath(slug) || slug === current)?.slug;
  useEffect(() => {
    if (shown === undefined) return;
    // On phones, the blocks are a strip that may be wider than the screen.
    const here = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (list.current && here) list.current.scrollLeft = here.offsetLeft - list.current.offsetLeft - 16;
  }, [shown]);
  return (
    <header className="rail">
      <Link href="/" className="rail-mark">
        <Mark />
        Live AI Blocks
      </Link>
      <nav className="rail-ways" aria-label="Blocks and history">
        <div className="rail-blocks" ref={list}>
          {blocks.map((block) => (
            <Link
              key={block.slug}
              href={blockPath(block.slug)}
              aria-current={path === blockPath(block.slug) ? 'page' : block.slug === shown ? 'true' : undefined}
            >
              <KindIcon slug={block.slug} output={block.output} />
              <span {...writingOf(block.title)}>{block.title}</span>
            </Link>
          ))}
        </div>
        <Link href="/history" aria-current={path === '/history' ? 'page' : undefined}>
          <HistoryIcon />
          <span>History</span>
        </Link>
      </nav>
    </header>
  );
}
