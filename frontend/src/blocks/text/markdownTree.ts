/** The parts of a markdown syntax tree (mdast) that our plugins read and change. */

export interface Node {
  type: string;
  value?: string;
  identifier?: string;
  label?: string | null;
  url?: string;
  alt?: string | null;
  title?: string | null;
  lang?: string | null;
  meta?: string | null;
  children?: Node[];
  align?: (string | null)[];
  position?: { start: { offset?: number }; end: { offset?: number } };
  /** How the node becomes HTML. */
  data?: { hName?: string; hProperties?: object; hChildren?: Node[] };
}

/** The file that a tree was parsed from. */
export interface Source {
  value: unknown;
}

/** Yields all nodes in document order, except those inside nodes for which `isClosed` is true. */
export function* allNodes(tree: Node, isClosed: (node: Node) => boolean = () => false): Generator<Node> {
  const waiting = [tree];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    yield node;
    if (!isClosed(node)) waiting.push(...(node.children ?? []).toReversed());
  }
}

/** Returns the characters that a node was parsed from. */
export function writtenAs(node: Node, { value }: Source): string {
  const { start, end } = node.position ?? {};
  return typeof value === 'string' && start && end ? value.slice(start.offset, end.offset) : '';
}
