/**
 * A rehype plugin: gives the blocks of an answer their direction and language.
 *
 * A list and a table are laid out as a whole: their markers and columns stand on one side. Words in
 * them have a direction of their own only where it differs, and never move to the other side
 * (`text-align: match-parent` in markdown.css).
 */
import type { StreamdownProps } from 'streamdown';
import { type Writing, writingOf } from '../text/writing';
import { rehypePlugins } from './markdownSafety';

type Plugins = NonNullable<StreamdownProps['rehypePlugins']>;

interface Element {
  type: string;
  tagName?: string;
  value?: string;
  properties?: Record<string, unknown>;
  children?: Element[];
}

const BLOCKS = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'ul', 'ol', 'table', 'td', 'th']);
const LISTS = new Set(['ul', 'ol']);

const made = new Map<string | undefined, Plugins>();

/**
 * Returns the plugins for an answer in a language.
 *
 * @param lang - of the whole answer. The same language returns the same plugins, so that finished
 *   blocks are not rendered again.
 */
export function rehypePluginsFor(lang: string | undefined): Plugins {
  const known = made.get(lang);
  if (known) return known;
  const plugins: Plugins = [...rehypePlugins, [markdownWriting, { lang }]];
  made.set(lang, plugins);
  return plugins;
}

function markdownWriting({ lang }: { lang?: string }) {
  return (tree: Element): void => mark(tree, lang);
}

/** @param list - the direction of the list around the node, if any. */
function mark(node: Element, lang: string | undefined, list?: Writing['dir']): void {
  for (const child of node.children ?? []) {
    const name = child.tagName ?? '';
    const writing = BLOCKS.has(name) ? own(writingOf(wordsOf(child)), lang) : {};
    const isInner = LISTS.has(name) && list !== undefined;
    if (!isInner) child.properties = { ...child.properties, ...writing };
    if (name === 'li') directWords(child, list);
    mark(child, lang, LISTS.has(name) ? (list ?? writing.dir) : list);
  }
}

/** Gives the words of an item, which has no paragraph, their direction if it is not the list's. */
function directWords(item: Element, list: Writing['dir']): void {
  const children = item.children ?? [];
  const end = children.findIndex(({ tagName = '' }) => BLOCKS.has(tagName) || tagName === 'pre');
  const words = end === -1 ? children : children.slice(0, end);
  const { dir } = writingOf(words.map(wordsOf).join(''));
  if (dir === undefined || dir === list) return;
  const span = { type: 'element', tagName: 'span', properties: { dir }, children: words };
  item.children = [span, ...children.slice(words.length)];
}

/** A heading of a Japanese answer may look Chinese. */
function own({ dir, lang }: Writing, around: string | undefined): Writing {
  const isKnown = lang === undefined || lang === around || (around !== undefined && lang.startsWith('zh'));
  return { ...(dir && { dir }), ...(!isKnown && { lang }) };
}

/** Returns the words of an element, without code and formulas. */
function wordsOf({ tagName, value = '', children = [] }: Element): string {
  return tagName === 'code' ? '' : value + children.map(wordsOf).join(tagName === 'td' || tagName === 'li' ? ' ' : '');
}
