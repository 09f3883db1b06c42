/** What Mermaid is given to draw: a diagram's source, in a form that it shows as it is meant. */
import type { DiagramData } from '../../ai';

/** So many parts without links stand in one column. */
const COLUMN = 7;

/**
 * The source, and with it an unseen line from each part that has no link yet to the one before it.
 * So parts stand where their links are likely to bring them, instead of in one long row, and most
 * stay where they are when the links come.
 */
export function drawnSource({ source, nodes, edges }: Pick<DiagramData, 'source' | 'nodes' | 'edges'>): string {
  const linked = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const unseen = nodes.map(({ id }, index) => {
    const before = nodes[index - 1];
    return before === undefined || linked.has(id) || index % COLUMN === 0 ? '' : `    ${before.id} ~~~ ${id}\n`;
  });
  return source + unseen.join('');
}

/**
 * Mermaid shows `#60;` in labels of plain SVG as these five characters, and measures them so. Each
 * such character is therefore drawn as one that means nothing to Mermaid, from a plane of Unicode
 * where no letters are, and exchanged for the one that was meant in the finished drawing's texts.
 */

const PLANE = 0xf0000;

/** `#code;` as stand-ins: of a text by `diagramSource`, where `#` is never anything else. */
export function toStandIns(source: string): string {
  return source.replace(/#(\d{1,5});/g, (all, digits: string) => {
    const code = Number(digits);
    return code <= 0xffff ? String.fromCodePoint(PLANE + code) : all;
  });
}

/** The characters that the stand-ins in a drawn text stand for. */
export function fromStandIns(text: string): string {
  return text.replace(/[\u{f0000}-\u{fffff}]/gu, (one) => String.fromCodePoint((one.codePointAt(0) ?? PLANE) - PLANE));
}
