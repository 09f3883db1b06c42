/** Builds a block's data from the parts received so far. Pure; the result is valid at any time. */
import type { DiagramEdge, DiagramNode } from './diagramSource';
import { diagramSource } from './diagramSource';
import type { Item } from './events';

export interface QuizQuestion {
  question: string;
  options: string[];
  answer: number;
  explanation: string;
}
export interface QuizData {
  title: string;
  questions: QuizQuestion[];
  /** The question being written: its index from 0, and its text so far. */
  arriving: { index: number; question: string } | undefined;
  arrivingTitle: string;
}
export interface DiagramData {
  title: string;
  nodes: DiagramNode[];
  edges: DiagramEdge[];
  /** The label so far of the node or edge being written. */
  arriving: string;
  /** Mermaid source of the parts so far; valid at any time. */
  source: string;
}
export interface JsonData {
  /** The members received so far; each is complete and valid. */
  value: Record<string, unknown>;
  arriving: Readonly<Record<string, string>>;
}

interface Parts {
  items: readonly Item[];
  arriving: Readonly<Record<string, string>>;
}

/** Returns an answer in the form of its block: by name for the built-in ones, else by its parts. */
export function dataOf(blockType: string, parts: Parts & { text: string }): string | QuizData | DiagramData | JsonData {
  if (blockType === 'quiz') return quizData(parts);
  if (blockType === 'diagram') return diagramData(parts);
  const isText = parts.items.length === 0 && Object.keys(parts.arriving).length === 0;
  return isText || blockType in TEXT_BLOCKS ? parts.text : jsonData(parts);
}

const TEXT_BLOCKS = { 'ask-question': true, 'explain-eli10': true };

export function quizData({ items, arriving }: Parts): QuizData {
  const [path, words] = Object.entries(arriving)[0] ?? [];
  const index = path?.match(/^\/questions\/(\d+)\/question$/)?.[1];
  return {
    title: titleOf(items),
    questions: elementsOf<QuizQuestion>(items, 'questions'),
    arriving: index === undefined ? undefined : { index: Number(index), question: words ?? '' },
    arrivingTitle: arriving['/title'] ?? '',
  };
}

export function diagramData({ items, arriving }: Parts): DiagramData {
  const nodes = elementsOf<DiagramNode>(items, 'nodes');
  const edges = elementsOf<DiagramEdge>(items, 'edges');
  const label = Object.entries(arriving).find(([path]) => path.endsWith('/label'));
  return {
    title: titleOf(items) || (arriving['/title'] ?? ''),
    nodes,
    edges,
    arriving: label?.[1] ?? '',
    source: diagramSource({ nodes, edges }),
  };
}

export function jsonData({ items, arriving }: Parts): JsonData {
  const members = new Map<string, unknown>();
  const lists = new Map<string, unknown[]>(); // copies, because parts are never mutated
  for (const { path, value } of items) {
    const [name = '', index] = path.slice(1).split('/').map(unescapePointer);
    if (index === undefined) {
      members.set(name, value);
      continue;
    }
    const list = lists.get(name) ?? [];
    lists.set(name, list);
    members.set(name, list);
    list[Number(index)] = value;
  }
  // Plain assignment would fail for a member that a model names `__proto__`.
  return { value: Object.fromEntries(members), arriving };
}

function titleOf(items: readonly Item[]): string {
  const title = items.find((item) => item.path === '/title')?.value;
  return typeof title === 'string' ? title : '';
}

/**
 * Returns the elements of a list, ordered by index. The server leaves no gaps between valid
 * elements.
 */
function elementsOf<T>(items: readonly Item[], list: string): T[] {
  const prefix = `/${list}/`;
  return items
    .filter((item) => item.path.startsWith(prefix))
    .map((item) => [Number(item.path.slice(prefix.length)), item.value as T] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, value]) => value);
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
