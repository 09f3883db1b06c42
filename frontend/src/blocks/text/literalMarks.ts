/**
 * A remark plugin: stars and underscores that are no emphasis stay as they were written.
 *
 * CommonMark reads `2*3*4` and `__init__` as emphasis. Models mean products and names by them.
 */
import { type Node, type Source, writtenAs } from './markdownTree';

export function literalMarks() {
  return (tree: Node, file: Source): void => visit(tree, file);
}

function visit(node: Node, file: Source): void {
  node.children = node.children?.flatMap((child) => {
    visit(child, file);
    return isLiteral(child, file) ? unmarked(child, file) : [child];
  });
}

function isLiteral(node: Node, file: Source): boolean {
  if (node.type !== 'emphasis' && node.type !== 'strong') return false;
  // "(*^_^*)" is a face.
  if (node.type === 'emphasis' && /^\*[^\p{L}\p{N}\p{Co}`]+\*$/u.test(writtenAs(node, file))) return true;
  if (/^__[a-z][a-z\d_]*__$/u.test(writtenAs(node, file))) return true;
  const { start, end } = node.position ?? {};
  const text = String(file.value);
  const before = text.charAt((start?.offset ?? 0) - 1);
  const after = text.charAt(end?.offset ?? text.length);
  // Letters are often bold inside a word: "e**X**tensible".
  return node.type === 'strong' ? /[\d)]/u.test(before) && /[\d(]/u.test(after) : /[A-Za-z\d)]/u.test(before) && /[A-Za-z\d(]/u.test(after);
}

function unmarked(node: Node, file: Source): Node[] {
  const mark = { type: 'text', value: writtenAs(node, file).slice(0, node.type === 'strong' ? 2 : 1) };
  return [mark, ...(node.children ?? []), mark];
}
