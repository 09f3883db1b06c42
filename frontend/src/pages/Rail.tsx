/** The way about: the blocks, whichever the admin has made, and what was asked before. */
import { Link, useLocation } from 'wouter';

import type { BlockInfo } from '../ai';
import { HistoryIcon, KindIcon, Mark } from '../look/icons';
import { blockPath } from './scenes';

export interface RailProps {
  blocks: readonly BlockInfo[];
  /** The block that the shown answer belongs to. */
  current: string | undefined;
}

export function Rail({ blocks, current }: RailProps) {
  const [path] = useLocation();
  return (
    <header className="rail">
      <Link href="/" className="rail-mark">
        <Mark />
        Live AI Blocks
      </Link>
      <nav className="rail-ways" aria-label="Blocks and history">
        {blocks.map((block) => (
          <Link
            key={block.slug}
            href={blockPath(block.slug)}
            aria-current={path === blockPath(block.slug) ? 'page' : current === block.slug ? 'true' : undefined}
          >
            <KindIcon slug={block.slug} output={block.output} />
            <span>{block.title}</span>
          </Link>
        ))}
        <Link href="/history" aria-current={path === '/history' ? 'page' : undefined}>
          <HistoryIcon />
          <span>History</span>
        </Link>
      </nav>
    </header>
  );
}
