/** Reads one node of a flowchart: its id, its shape and its words. */

export type Shape = 'box' | 'round' | 'pill' | 'circle' | 'decision' | 'hexagon' | 'store' | 'parallelogram';

export interface FlowchartNode {
  id: string;
  label: string;
  shape: Shape;
}

/** Longer openings come first. */
const SHAPES: readonly (readonly [open: string, close: string, shape: Shape])[] = [
  ['(((', ')))', 'circle'],
  ['((', '))', 'circle'],
  ['([', '])', 'pill'],
  ['(', ')', 'round'],
  ['[[', ']]', 'box'],
  ['[(', ')]', 'store'],
  ['[/', '/]', 'parallelogram'],
  ['[/', '\\]', 'parallelogram'],
  ['[\\', '\\]', 'parallelogram'],
  ['[\\', '/]', 'parallelogram'],
  ['[', ']', 'box'],
  ['{{', '}}', 'hexagon'],
  ['{', '}', 'decision'],
  ['>', ']', 'box'],
];

/** In the new form, `A@{ shape: diam }`. Others are boxes. */
const NAMED_SHAPES: Readonly<Record<string, Shape | undefined>> = {
  rounded: 'round',
  event: 'round',
  stadium: 'pill',
  terminal: 'pill',
  pill: 'pill',
  circle: 'circle',
  circ: 'circle',
  diam: 'decision',
  diamond: 'decision',
  decision: 'decision',
  hex: 'hexagon',
  hexagon: 'hexagon',
  cyl: 'store',
  cylinder: 'store',
  database: 'store',
  db: 'store',
};

/** An id may contain a hyphen, but not the beginning of a link. */
const ID = /^(?:[\p{L}\p{N}\p{M}_.]|-(?=[\p{L}\p{N}_]))+/u;
const CLASS = /^:::[\w-]+/u;

export interface FoundNode {
  node: FlowchartNode;
  /** Whether it is only named, without words of its own. */
  isPlain: boolean;
  /** What follows, without blanks. */
  rest: string;
}

/** @returns undefined if the text begins with no node. */
export function nodeAt(text: string): FoundNode | undefined {
  const id = ID.exec(text)?.[0];
  if (id === undefined) return undefined;
  const shaped = shapeAt(text.slice(id.length));
  if (!shaped) return undefined;
  const rest = shaped.rest.replace(CLASS, '').trimStart();
  return { node: { id, label: shaped.label ?? id, shape: shaped.shape }, isPlain: shaped.label === undefined, rest };
}

interface Shaped {
  label: string | undefined;
  shape: Shape;
  rest: string;
}

function shapeAt(text: string): Shaped | undefined {
  const open = SHAPES.filter(([begin]) => text.startsWith(begin));
  const ends = open.map((shape) => closed(text, shape)).filter((found) => found !== undefined);
  // `[/x\\] --> B[/y/]`: the shape that ends first is meant. Of two, the longer opening is.
  const [first] = ends.toSorted((one, other) => other.rest.length - one.rest.length);
  if (first) return first;
  // The new form may name a picture or an icon, which is left out.
  const data = /^@\{(?<members>(?:"[^"]*"|[^"{}])*)\}/u.exec(text);
  if (data) {
    const shape = NAMED_SHAPES[/\bshape:\s*(?<name>[\w-]+)/u.exec(data.groups?.['members'] ?? '')?.groups?.['name'] ?? ''] ?? 'box';
    const label = /\blabel:\s*(?:"(?<quoted>[^"]*)"|(?<plain>[^,"]*))/u.exec(data.groups?.['members'] ?? '')?.groups;
    const words = label?.['quoted'] ?? label?.['plain'];
    return { label: words === undefined ? undefined : wordsOf(words), shape, rest: text.slice(data[0].length) };
  }
  return open.length > 0 || text.startsWith('@') ? undefined : { label: undefined, shape: 'box', rest: text };
}

/** Reads a shape whose words are quoted, or have brackets in pairs. */
function closed(text: string, [begin, end, shape]: (typeof SHAPES)[number]): Shaped | undefined {
  const inside = text.slice(begin.length);
  const length = /^\s*"[^"]*"\s*/u.exec(inside)?.[0].length ?? lengthOfWords(inside, end);
  if (!inside.startsWith(end, length)) return undefined;
  return { label: wordsOf(inside.slice(0, length)), shape, rest: inside.slice(length + end.length) };
}

function lengthOfWords(inside: string, end: string): number {
  let depth = 0;
  for (let at = 0; at < inside.length && inside[at] !== '"'; at += 1) {
    if (depth === 0 && inside.startsWith(end, at)) return at;
    if (/[[({]/u.test(inside[at] ?? '')) depth += 1;
    else if (/[\])}]/u.test(inside[at] ?? '')) depth -= 1;
  }
  return inside.length;
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', amp: '&', lt: '<', gt: '>', nbsp: ' ', apos: "'" };

/** Returns a label as plain words: without quotes, line breaks, formatting tags and icons. */
export function wordsOf(label: string): string {
  return label
    .trim()
    .replace(/^"(?<inside>[^"]*)"$/u, '$<inside>')
    .replace(/^`(?<inside>[^`]*)`$/u, '$<inside>')
    .replace(/<br\s*\/?>|\\n/giu, ' ')
    .replace(/<\/?(?:b|i|u|em|strong|small|sub|sup|code|span)>/giu, '')
    .replace(/\bfa[bsrl]?:fa-[\w-]+\s*/gu, '')
    .replace(/[#&](?:#?(?<code>\d{1,6})|(?<name>[a-z]+));/gu, (entity, code?: string, name?: string) =>
      code === undefined ? (ENTITIES[name ?? ''] ?? entity) : characterOf(Number(code), entity),
    )
    .replace(/\s+/gu, ' ')
    .trim();
}

function characterOf(code: number, entity: string): string {
  return code > 31 && code <= 0x10ffff ? String.fromCodePoint(code) : entity;
}
