/**
 * Restricts what a model's markdown may become.
 *
 * Raw HTML is never parsed: without `rehype-raw`, Streamdown shows it as text. Markdown itself is
 * restricted twice: links by their address, then everything by a list of elements and attributes.
 * Images become their alternative text, because loading an image can leak the prompt.
 */
import { harden } from 'rehype-harden';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import type { StreamdownProps } from 'streamdown';

type Plugins = NonNullable<StreamdownProps['rehypePlugins']>;

const ELEMENTS = [
  ...['p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'ul', 'ol', 'li', 'input'],
  ...['a', 'em', 'strong', 'del', 'sup', 'section', 'code', 'pre'],
  ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
];

const schema = {
  ...defaultSchema,
  tagNames: ELEMENTS,
  // Not even `id`: it could shadow one of the page's own.
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

/**
 * Returns the address of an allowed link; undefined for links into this site and for other schemes.
 */
export function safeHref(href: unknown): string | undefined {
  if (typeof href !== 'string' || !/^(https?:\/\/|mailto:)/iu.test(href)) return undefined;
  try {
    return new URL(href).href;
  } catch {
    return undefined;
  }
}
