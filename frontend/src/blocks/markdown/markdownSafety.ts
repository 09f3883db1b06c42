/**
 * What a model's markdown may become.
 *
 * Raw HTML is never parsed: without `rehype-raw`, Streamdown leaves it as the text that it is. What
 * markdown itself can do is cut down twice: links by address, then everything by a list of
 * elements and attributes. Images are their alternative text: an address in a picture would be
 * fetched at once, and can carry away what was asked.
 */
import { harden } from 'rehype-harden';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import { defaultRemarkPlugins, type StreamdownProps } from 'streamdown';
import { wholeAnswer } from './markdownWhole';

type Plugins = NonNullable<StreamdownProps['rehypePlugins']>;

const ELEMENTS = [
  ...['p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'ul', 'ol', 'li', 'input'],
  ...['a', 'em', 'strong', 'del', 'sup', 'section', 'code', 'pre'],
  ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
];

const schema = {
  ...defaultSchema,
  tagNames: ELEMENTS,
  // Not even `id` from a model: it could stand in for one of the page's own.
  attributes: {
    a: ['href'],
    code: [['className', /^language-./u] as [string, RegExp]],
    input: [['type', 'checkbox'] as [string, string], ['disabled', true] as [string, boolean], 'checked'],
    ol: ['start'],
    td: ['align'],
    th: ['align'],
  },
  protocols: { href: ['http', 'https', 'mailto'] },
};

export const rehypePlugins: Plugins = [
  [
    harden,
    {
      allowedLinkPrefixes: ['*'],
      allowedImagePrefixes: [],
      linkBlockPolicy: 'text-only',
      imageBlockPolicy: 'text-only',
    },
  ],
  [rehypeSanitize, schema],
];

export const remarkPlugins: Plugins = [...Object.values(defaultRemarkPlugins), ...wholeAnswer];

/** The address of a link that may be followed; undefined for one into this site or anywhere odd. */
export function safeHref(href: unknown): string | undefined {
  if (typeof href !== 'string' || !/^(https?:\/\/|mailto:)/iu.test(href)) return undefined;
  try {
    return new URL(href).href;
  } catch {
    return undefined;
  }
}
