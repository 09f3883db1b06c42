/** The choice between blocks. On a phone it is a strip that scrolls, however many there are. */
import { useEffect, useRef } from 'react';
import type { BlockInfo } from '@liveai/client';
import { KindIcon } from '../look/icons';
import { Segment } from './Segment';

export interface KindsProps {
  blocks: readonly BlockInfo[];
  /** The slug of the chosen block. */
  chosen: string;
  onChoose(slug: string): void;
}

export function Kinds({ blocks, chosen, onChoose }: KindsProps) {
  const strip = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const list = strip.current?.querySelector<HTMLElement>('.segment-choices');
    const here = list?.querySelector<HTMLElement>(`:has(> [value="${CSS.escape(chosen)}"])`);
    if (!list || !here) return;
    const { offsetLeft: left, offsetWidth: width } = here;
    const isInView = left >= list.scrollLeft && left + width <= list.scrollLeft + list.clientWidth - FADE;
    if (!isInView) list.scrollLeft = left - FADE;
  }, [chosen]);
  return (
    <div className="composer-kinds" ref={strip}>
      <Segment
        title="Kind of answer"
        choices={blocks.map((block) => ({ key: block.slug, label: <Kind block={block} /> }))}
        chosen={chosen}
        onChoose={onChoose}
      />
    </div>
  );
}

/** The width over which the strip's end fades, in px. */
const FADE = 36;

function Kind({ block }: { block: BlockInfo }) {
  return (
    <>
      <KindIcon slug={block.slug} output={block.output} size={17} /> {block.title}
    </>
  );
}
