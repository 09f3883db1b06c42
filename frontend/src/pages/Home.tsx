/** The first page: one composer for every kind of block, and the latest answers. */
import { Link, useLocation } from 'wouter';

import type { BlockInfo } from '@liveai/client';
import {
  Composer,
  type Example,
  fittingOptions,
  HOME,
  type OptionValues,
  readOptions,
  score,
  useDraft,
  useSite,
  writeOptions,
} from '../blocks';
import { useAddress } from './address';
import type { Boot } from './boot';
import { blockPath, type Scenes } from './scenes';
import { Samples } from './Samples';
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
  const { blocks = [], mustSignIn } = useSite();
  return (
    <>
      <h1>What would you like to understand?</h1>
      {blocks.length > 0 ? <Ask scenes={scenes} blocks={blocks} /> : <NoBlocks boot={boot} />}
      {!mustSignIn && <Samples scenes={scenes} blocks={blocks} />}
      {!mustSignIn && <Recent blocks={blocks} />}
    </>
  );
}

function Ask({ scenes, blocks }: { scenes: Scenes; blocks: readonly BlockInfo[] }) {
  const [, navigate] = useLocation();
  const draft = useDraft(HOME);
  const block = blocks.find(({ slug }) => slug === draft.kind) ?? blocks[0];
  const kind = block?.slug ?? '';
  // Each block has its own options, here and on its own page.
  const { options, setOptions } = useDraft(kind);
  /** Another block's own options, and over them those of the chosen block that it allows, too. */
  const optionsOf = (slug: string): OptionValues => {
    const other = blocks.find((each) => each.slug === slug);
    const set = block ? fittingOptions(block.options, options) : {};
    return { ...readOptions(slug), ...(other && fittingOptions(other.options, set)) };
  };
  return (
    <Composer
      blocks={blocks}
      kind={kind}
      onKind={(slug) => {
        writeOptions(slug, optionsOf(slug));
        draft.setKind(slug);
      }}
      value={draft.prompt}
      onValue={draft.setPrompt}
      options={options}
      onOptions={setOptions}
      optionsOf={optionsOf}
      label="What would you like to understand?"
      placeholder="Ask anything, or paste text to explain"
      examples={EXAMPLES.filter((example) => blocks.some(({ slug }) => slug === example.kind))}
      onAsk={(input, slug) => {
        scenes.handOver(slug, input);
        navigate(blockPath(slug));
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
          See all
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
