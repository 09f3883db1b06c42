/** Prepares a diagram's source so that Mermaid displays it as intended. */
import type { DiagramData } from '@liveai/client';

/** From top to bottom, or from left to right. */
export type Direction = 'TD' | 'LR';

/** How many unlinked parts form one column, or one row. */
const ABREAST: Readonly<Record<Direction, number>> = { TD: 7, LR: 4 };

/**
 * Sets the direction, and adds an invisible line from each unlinked part to the part before it.
 * Parts then stand near their final place instead of in one long row, and most stay there when
 * their links arrive.
 */
export function drawnSource(
  { source, nodes, edges }: Pick<DiagramData, 'source' | 'nodes' | 'edges'>,
  direction: Direction = 'TD',
): string {
  const linked = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const unseen = nodes.map(({ id }, index) => {
    const before = nodes[index - 1];
    return before === undefined || linked.has(id) || index % ABREAST[direction] === 0 ? '' : `    ${before.id} ~~~ ${id}\n`;
  });
  return source.replace(/^flowchart TD$/mu, `flowchart ${direction}`) + unseen.join('');
}

/**
 * In plain SVG labels, Mermaid displays `#60;` literally and measures its five characters.
 * Each such character is therefore replaced by a stand-in from a private Unicode plane, which means
 * nothing to Mermaid. The finished drawing gets the original characters back.
 */

const PLANE = 0xf0000;

/** Replaces each `#code;` by its stand-in. In a text from `diagramSource`, `#` has no other use. */
export function toStandIns(source: string): string {
  return source.replace(/#(\d{1,5});/g, (all, digits: string) => {
    const code = Number(digits);
    return code <= 0xffff ? String.fromCodePoint(PLANE + code) : all;
  });
}

/** Replaces each stand-in by its original character. */
export function fromStandIns(text: string): string {
  return text.replace(/[\u{f0000}-\u{fffff}]/gu, (one) => String.fromCodePoint((one.codePointAt(0) ?? PLANE) - PLANE));
}
