import type { DiagramData } from '../../ai';

/** "6 steps, 4 links". */
export function diagramCounts({ nodes, edges }: Pick<DiagramData, 'nodes' | 'edges'>): string {
  return `${count(nodes.length, 'step')}, ${count(edges.length, 'link')}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Returns a file name of letters and digits, valid on every system. */
export function fileNameOf(title: string, ending: string): string {
  const name = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Mark}+/gu, '')
    .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
    .replace(/^-+|-+$/gu, '');
  const characters = [...name].slice(0, 60).join('').replace(/-+$/u, '');
  return `${characters || 'diagram'}.${ending}`;
}
