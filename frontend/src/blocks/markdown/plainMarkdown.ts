/** Markdown as text without marks, for copying. */
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { writtenAs, type Node } from '../text/markdownTree';
import { remarkPlugins } from './markdownSyntax';

const parser = unified().use(remarkParse).use(remarkPlugins as never);

/** Returns paragraphs, lists, tables and code as plain text. Formulas stay as they were written. */
export function plainMarkdown(markdown: string): string {
  const tree = parser.parse(markdown) as Node;
  return `${blocksOf(tree, { value: markdown }).join('\n\n')}\n`;
}

type Source = { value: string };

function blocksOf({ children = [] }: Node, source: Source): string[] {
  return children.map((node) => blockOf(node, source)).filter((text) => text !== '');
}

function blockOf(node: Node & { ordered?: boolean; start?: number | null }, source: Source): string {
  switch (node.type) {
    case 'list':
      return (node.children ?? [])
        .map((item, at) => listItem(blocksOf(item, source).join('\n'), node.ordered ? `${(node.start ?? 1) + at}. ` : '- '))
        .join('\n');
    case 'blockquote':
      return blocksOf(node, source).join('\n\n');
    case 'table':
      return (node.children ?? [])
        .map((row) => (row.children ?? []).map((cell) => inline(cell, source)).join('\t'))
        .join('\n');
    case 'code':
      return node.value ?? '';
    case 'html':
    case 'definition':
    case 'thematicBreak':
      return '';
    case 'paragraph':
    case 'heading':
      return inline(node, source);
    default:
      return writtenAs(node, source);
  }
}

/** Further lines of an item stand below its first one. */
function listItem(text: string, mark: string): string {
  return mark + text.replaceAll('\n', `\n${' '.repeat(mark.length)}`);
}

function inline(node: Node, source: Source): string {
  if (node.type === 'break') return '\n';
  if (node.type === 'html') return '';
  if (node.type === 'image') return node.alt ?? '';
  if (node.children) return node.children.map((child) => inline(child, source)).join('');
  return node.type === 'text' || node.type === 'inlineCode' ? (node.value ?? '') : writtenAs(node, source);
}
