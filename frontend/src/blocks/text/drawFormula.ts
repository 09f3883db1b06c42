/** Draws a formula with KaTeX. A lazy chunk: it brings 80 KiB of code, and fonts. */
import 'katex/dist/katex-swap.min.css';
import '../../look/formula.css';
import DOMPurify from 'dompurify';
import { type KatexOptions, renderToString } from 'katex';
// Chemistry: `\ce{H2O}`.
import 'katex/contrib/mhchem';
import type { Formula } from './formulaSource';

/** KaTeX writes commands that it does not allow in this colour, instead of failing. */
const REJECTED = '#0bad0b';

const OPTIONS: KatexOptions = {
  output: 'htmlAndMathml',
  throwOnError: true,
  strict: 'ignore',
  // No links, pictures, classes or styles from a model.
  trust: false,
  errorColor: REJECTED,
  // A model may define macros that double themselves, or ask for a kilometre of space.
  maxExpand: 300,
  maxSize: 12,
};

/** What papers say about a formula's number, which KaTeX does not know. */
const MACROS = { '\\label': '\\@firstoftwo{}{#1}', '\\ref': '\\text{#1}', '\\eqref': '(\\text{#1})' };

/** Drawn formulas that are larger are shown as text; in characters of HTML. */
const HTML_AT_MOST = 200_000;

// KaTeX escapes what it is given. This holds even if it should fail to.
const TAGS = [
  ...['span', 'svg', 'path', 'line', '#text'],
  ...['math', 'semantics', 'annotation', 'mrow', 'mi', 'mo', 'mn', 'mtext', 'mspace', 'mfrac', 'msqrt', 'mroot', 'mstyle'],
  ...['mpadded', 'mphantom', 'menclose', 'msub', 'msup', 'msubsup', 'munder', 'mover', 'munderover', 'mtable', 'mtr', 'mtd'],
];
const ATTRIBUTES = [
  ...['class', 'style', 'aria-hidden', 'xmlns', 'encoding', 'display', 'width', 'height', 'viewBox', 'preserveAspectRatio', 'd'],
  ...['x1', 'x2', 'y1', 'y2', 'stroke-width', 'mathvariant', 'mathcolor', 'mathbackground', 'mathsize', 'scriptlevel', 'voffset'],
  ...['displaystyle', 'stretchy', 'fence', 'separator', 'lspace', 'rspace', 'minsize', 'maxsize', 'accent', 'accentunder', 'depth'],
  ...['linethickness', 'notation', 'rowspacing', 'columnspacing', 'columnalign', 'columnlines', 'rowlines', 'largeop', 'valign'],
];

const ANNOTATION = /(?<=<annotation encoding="application\/x-tex">)[^<]*(?=<\/annotation>)/u;

/**
 * Returns a formula as HTML: for the eye, and as MathML with its source for screen readers.
 *
 * @param formula - its source keeps its delimiters on the page, as it was written.
 * @throws Whatever KaTeX finds wrong with it. Show its source instead.
 */
export function drawFormula({ source, tex, isDisplay }: Formula): string {
  const html = renderToString(tex, { ...OPTIONS, macros: { ...MACROS }, displayMode: isDisplay });
  if (html.length > HTML_AT_MOST) throw new RangeError('The formula is too large.');
  if (html.includes(REJECTED)) throw new TypeError('The formula has a command that is not allowed.');
  const whole = withReadableColours(html).replace(ANNOTATION, () => escaped(source));
  return DOMPurify.sanitize(whole, { ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ATTRIBUTES, ALLOW_DATA_ATTR: false, ALLOW_ARIA_ATTR: false });
}

/** Mixes the colours that a model chose with the page's own, so that they suit a light and a dark page. */
function withReadableColours(html: string): string {
  return html.replace(/(?<=style=")[^"]*/gu, (style) =>
    style
      .replace(/(?<=^|;)color:(?<colour>[#\w]+)/gu, 'color:color-mix(in srgb, $<colour> 45%, currentColor)')
      .replace(/(?<=^|;)background-color:(?<colour>[#\w]+)/gu, 'background-color:color-mix(in srgb, $<colour> 30%, transparent)'),
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
