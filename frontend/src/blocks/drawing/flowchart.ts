/**
 * Reads a flowchart that a model wrote as Mermaid text.
 *
 * Mermaid text can load pictures, set styles and add links. It is therefore never drawn as written:
 * its nodes and links are read here, and a source of our own is drawn (`flowchartSource.ts`).
 */
import { type FlowchartNode, nodeAt, wordsOf } from './flowchartNode';

export type Line = 'solid' | 'dotted' | 'thick' | 'invisible';

export interface FlowchartLink {
  from: string;
  to: string;
  label: string;
  line: Line;
  hasStart: boolean;
  hasEnd: boolean;
}
export interface FlowchartGroup {
  /** Links may begin or end at the group as a whole. */
  id: string;
  label: string;
  /** The ids of the nodes named in it, and in no group before. */
  nodes: string[];
  /** The id of the group around it, if any. */
  around: string | undefined;
}
export interface Flowchart {
  /** '' if it has none. */
  title: string;
  direction: 'TD' | 'BT' | 'LR' | 'RL';
  nodes: FlowchartNode[];
  links: FlowchartLink[];
  groups: FlowchartGroup[];
}

/** Larger flowcharts are shown as code. */
const AT_MOST = { characters: 20_000, nodes: 120, links: 240, groups: 20 };

/** @returns undefined for any other diagram, and for every statement that is not understood. */
export function flowchartOf(source: string): Flowchart | undefined {
  if (source.length > AT_MOST.characters) return undefined;
  const front = /^\s*---[ \t]*\r?\n(?:(?<settings>[^]*?)\r?\n)?---[ \t]*\r?\n/u.exec(source);
  const title = /^title:[ \t]*(?<words>.+)$/mu.exec(front?.groups?.['settings'] ?? '')?.groups?.['words'] ?? '';
  const [head = '', ...statements] = statementsOf(source.slice(front?.[0].length ?? 0));
  const direction = /^(?:graph|flowchart(?:-elk)?)(?:\s+(?<name>TB|TD|BT|LR|RL))?$/u.exec(head);
  if (!direction) return undefined;
  const reader = new FlowchartReader();
  for (const statement of statements) {
    if (!reader.read(statement)) return undefined;
  }
  const name = (direction.groups?.['name'] ?? 'TD').replace('TB', 'TD') as Flowchart['direction'];
  return reader.finished(wordsOf(title), name);
}

/** A statement ends with its line or a semicolon, but not inside quotes, brackets and bars. */
function statementsOf(source: string): string[] {
  const statements: string[] = [];
  let statement = '';
  let depth = 0;
  let quote = '';
  for (const character of withoutComments(source)) {
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === '|') quote = character;
    else if (/[[({]/u.test(character)) depth += 1;
    else if (/[\])}]/u.test(character)) depth = Math.max(0, depth - 1);
    const isEnd = quote === '' && (character === '\n' || (character === ';' && depth === 0));
    if (!isEnd) statement += character;
    if (!isEnd || statement.trim() === '') continue;
    statements.push(statement.trim());
    [statement, depth] = ['', 0];
  }
  return statement.trim() === '' ? statements : [...statements, statement.trim()];
}

/** Mermaid wants a line for each comment; models also write them behind a statement. */
function withoutComments(source: string): string {
  const outside = source.replace(/%%\{[^]*?\}%%/gu, '').replace(/\baccDescr\s*\{[^}]*\}/gu, '');
  return outside.replace(/("[^"\n]*")|(?<=^|[\s;])%%.*$/gmu, (_, quoted?: string) => quoted ?? '');
}

class FlowchartReader {
  readonly #nodes = new Map<string, FlowchartNode>();
  readonly #links: FlowchartLink[] = [];
  readonly #groups: FlowchartGroup[] = [];
  readonly #open: FlowchartGroup[] = [];
  readonly #grouped = new Set<string>();

  /** @returns false if the statement is not understood. */
  read(statement: string): boolean {
    // They change the look, or what a click does.
    if (/^(?:classDef|class|style|linkStyle|click|direction|accTitle|accDescr)\b/u.test(statement)) return true;
    if (statement === 'end') return this.#open.pop() !== undefined;
    const group = /^subgraph(?:\s+(?<title>.+))?$/u.exec(statement);
    if (group) return this.#begin(group.groups?.['title'] ?? '');
    return this.#readChain(statement);
  }

  finished(title: string, direction: Flowchart['direction']): Flowchart | undefined {
    const groups = this.#groups.filter((group) => this.#isInhabited(group));
    const groupIds = new Set(groups.map(({ id }) => id));
    const nodes = [...this.#nodes.values()].filter(({ id }) => !groupIds.has(id));
    const isTooLarge = nodes.length > AT_MOST.nodes || this.#links.length > AT_MOST.links;
    if (nodes.length === 0 || isTooLarge || this.#open.length > 0) return undefined;
    return { title, direction, nodes, links: this.#links, groups };
  }

  #isInhabited({ id, nodes }: FlowchartGroup): boolean {
    return nodes.length > 0 || this.#groups.some((inner) => inner.around === id && this.#isInhabited(inner));
  }

  #begin(title: string): boolean {
    if (this.#groups.length >= AT_MOST.groups) return false;
    const { id = title, label = title } = /^(?<id>[\p{L}\p{N}_-]+)\s*\[(?<label>.+)\]$/u.exec(title)?.groups ?? {};
    // Links to a name lead to the first of that name.
    const isTaken = this.#groups.some((group) => group.id === id);
    const group = { id: isTaken ? `${id} (${this.#groups.length})` : id, label: wordsOf(label), nodes: [], around: this.#open.at(-1)?.id };
    this.#groups.push(group);
    this.#open.push(group);
    return true;
  }

  /** `A --> B & C -->|yes| D` */
  #readChain(statement: string): boolean {
    let rest = statement;
    let before: string[] | undefined;
    let link: Omit<FlowchartLink, 'from' | 'to'> | undefined;
    for (;;) {
      const ids: string[] = [];
      for (;;) {
        const found = nodeAt(rest);
        if (!found) return false;
        this.#add(found.node, found.isPlain);
        ids.push(found.node.id);
        ({ rest } = found);
        if (!rest.startsWith('&')) break;
        rest = rest.slice(1).trimStart();
      }
      for (const from of link ? (before ?? []) : []) {
        for (const to of ids) if (link) this.#links.push({ from, to, ...link });
      }
      if (rest === '') return true;
      const next = linkAt(rest);
      if (!next || this.#links.length > AT_MOST.links) return false;
      ({ link, rest } = next);
      before = ids;
    }
  }

  #add(node: FlowchartNode, isPlain: boolean): void {
    if (!this.#nodes.has(node.id) || !isPlain) this.#nodes.set(node.id, node);
    const group = this.#open.at(-1);
    if (!group || this.#grouped.has(node.id)) return;
    this.#grouped.add(node.id);
    group.nodes.push(node.id);
  }
}

const PLAIN = /^(?<start>[<xo])?(?<line>-{2,}|={2,}|-\.+-|~{3,})(?<end>[>xo](?=[\s|&"\p{L}\p{N}_])|>)?\s*(?:\|(?<label>"[^"]*"|[^|"]*)\|)?\s*/u;
const WORDED = /^(?<start>[<xo])?(?<line>--|==|-\.)\s*(?<label>"[^"]*"|(?:[^"|>]|(?<![-=.])>)+?)\s*(?:-{2,}|={2,}|\.+-)(?<end>[>xo])?\s*/u;

function linkAt(text: string): { link: Omit<FlowchartLink, 'from' | 'to'>; rest: string } | undefined {
  const worded = WORDED.exec(text);
  const plain = PLAIN.exec(text);
  // `A -- yes --> B` begins like `A --- B`.
  const isPlain = plain && (plain.groups?.['end'] !== undefined || (plain.groups?.['line'] ?? '').length > 2);
  const match = isPlain ? plain : worded;
  if (!match) return undefined;
  const { start, line = '', end, label = '' } = match.groups ?? {};
  return {
    link: { label: wordsOf(label), line: lineOf(line), hasStart: start !== undefined, hasEnd: end !== undefined },
    rest: text.slice(match[0].length),
  };
}

function lineOf(marks: string): Line {
  if (marks.startsWith('~')) return 'invisible';
  if (marks.startsWith('=')) return 'thick';
  return marks.includes('.') ? 'dotted' : 'solid';
}
