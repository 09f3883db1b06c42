/** Remark plugins that keep what markdown would drop: readers should see every word. */

import { type Node, type Source, allNodes, writtenAs } from '../text/markdownTree';

export const wholeAnswer = [breaksOfHtml, blocksOfHtml, shortUnderlines, wholeTables, unusedDefinitions, wordsInBrackets, hiddenWords];

/** Allows `<br>`, the only HTML that models need: table cells have no other line break. */
function breaksOfHtml() {
  return (tree: Node): void => {
    for (const node of allNodes(tree)) {
      if (node.type === 'html' && /^<br\s*\/?>$/iu.test(node.value ?? '')) node.type = 'break';
    }
  };
}

/** A block of HTML is shown as text: a paragraph like others, with a direction. */
function blocksOfHtml() {
  return (tree: Node): void => {
    for (const node of allNodes(tree)) {
      if (node.type === 'paragraph' || node.type === 'heading') continue;
      node.children = node.children?.map((child) =>
        child.type === 'html' ? { type: 'paragraph', children: [child], position: child.position } : child,
      );
    }
  };
}

/** A line of one dash below a text is an empty item of a list, not the underline of a heading. */
function shortUnderlines() {
  return (tree: Node, file: Source): void => {
    for (const node of allNodes(tree)) {
      const line = node.type === 'heading' ? /\n[ \t>]*[-=][ \t]*$/u.exec(writtenAs(node, file))?.[0] : undefined;
      if (line === undefined) continue;
      node.type = 'paragraph';
      node.children?.push({ type: 'break' }, textOf(line.trim().slice(-1)));
    }
  };
}

/** GFM drops the cells of a row beyond the table's head. This adds columns for them. */
function wholeTables() {
  return (tree: Node): void => {
    for (const node of allNodes(tree)) {
      if (node.type !== 'table') continue;
      const align = node.align ?? [];
      const width = Math.max(align.length, ...(node.children ?? []).map((row) => row.children?.length ?? 0));
      node.align = Array.from({ length: width }, (_, column) => align[column] ?? null);
    }
  };
}

/** `[Note]: important` defines a link. Markdown shows nothing for a definition that is unused. */
function unusedDefinitions() {
  return (tree: Node, file: Source): void => {
    const needed = new Set<string>();
    for (const node of allNodes(tree, isDefinition)) {
      if (node.type.endsWith('Reference')) needed.add(nameOf(node));
    }
    for (const node of allNodes(tree)) {
      // If several definitions share a name, the first is used.
      if (!isDefinition(node) || (!isWord(node) && needed.delete(nameOf(node)))) continue;
      node.type = 'paragraph';
      node.children = [{ type: 'text', value: writtenAs(node, file) }];
    }
  };
}

/** `handlers[name](event)` is no link: "event" is no address. It stays as it was written. */
function wordsInBrackets() {
  return (tree: Node, file: Source): void => {
    for (const node of allNodes(tree)) {
      node.children = node.children?.flatMap((child) => {
        if (child.type !== 'link' || !isWord(child)) return [child];
        const [whole, inner] = [writtenAs(child, file), child.children ?? []];
        const [from, to] = [inner.at(0)?.position?.start.offset, inner.at(-1)?.position?.end.offset];
        const start = child.position?.start.offset ?? 0;
        if (from === undefined || to === undefined) return [textOf(whole)];
        return [textOf(whole.slice(0, from - start)), ...inner, textOf(whole.slice(to - start))];
      });
    }
  };
}

/** Whether what a link or a definition leads to is a word, and no address. */
function isWord({ type, url = '' }: Node): boolean {
  return type !== 'footnoteDefinition' && url !== '' && !/[/#:]/u.test(url);
}

/** Shows the titles of links and images, and the text after a code block's language. */
function hiddenWords() {
  return (tree: Node): void => {
    for (const node of [...allNodes(tree)]) {
      const { children, title, url = '' } = node;
      if (node.type === 'link') {
        if (title) children?.push(textOf(` (${title})`));
        if (children?.length === 0) children.push(textOf(url));
      } else if (node.type === 'image') {
        node.alt = [node.alt || (title ? '' : url), title && `(${title})`].filter(Boolean).join(' ');
      } else if (children?.some(({ meta }) => meta)) {
        node.children = children.flatMap((child) =>
          child.meta ? [{ type: 'paragraph', children: [textOf(child.meta)] }, child] : [child],
        );
      }
    }
  };
}

function textOf(value: string): Node {
  return { type: 'text', value };
}

function isDefinition(node: Node): boolean {
  return node.type === 'definition' || node.type === 'footnoteDefinition';
}

function nameOf({ type, identifier = '' }: Node): string {
  return `${type.startsWith('footnote') ? 'footnote' : 'link'} ${identifier}`;
}
