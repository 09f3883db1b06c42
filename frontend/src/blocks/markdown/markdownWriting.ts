/**
 * A rehype plugin: gives the blocks of an answer their direction and language.
 *
 * A list and a table are laid out as a whole. Their items therefore inherit, and cells have a
 * direction for their words only.
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
const CLOSED = new Set(['ul', 'ol']);

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

function mark(node: Element, lang: string | undefined): void {
  for (const child of node.children ?? []) {
    if (BLOCKS.has(child.tagName ?? '')) child.properties = { ...child.properties, ...own(writingOf(wordsOf(child)), lang) };
    if (!CLOSED.has(child.tagName ?? '')) mark(child, lang);
  }
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
