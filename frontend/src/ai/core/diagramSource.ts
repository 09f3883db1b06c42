/**
 * Builds the Mermaid source of a diagram while its parts arrive. The server builds the same text
 * for `result.source`.
 *
 * Source: specs/050-live-ai-interaction/fixtures/diagram-source.json, which both sides must match
 * byte for byte.
 */

export interface DiagramNode {
  id: string;
  label: string;
}
export interface DiagramEdge {
  from: string;
  to: string;
  label?: string;
}

const BLANKS =
  // oxlint-disable-next-line no-control-regex -- it must match control characters
  /[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+/gu;
/** These would reverse the direction of the text next to the label. */
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/**
 * Every ASCII character that may have a meaning in Mermaid, Markdown or HTML. It also covers the
 * ligature U+FB02, which Mermaid itself substitutes for the `&` of an entity.
 */
const SPECIAL = /[^A-Za-z0-9 ,'?!\u0080-\ufb01\ufb03-\u{10ffff}]/gu;
/** Mermaid treats the whole line as a statement wherever this occurs in it, even inside quotes. */
const DIRECTION = /d(?=irection (?:TB|BT|LR|RL|TD))/g;

/**
 * Returns a top-down flowchart.
 *
 * @param parts - node ids are `n` and digits; labels are arbitrary text.
 * @returns Lines, each with a trailing line break. Every label is displayed as plain text: it can't
 *   end its quotes, start a directive, or become markup.
 */
export function diagramSource(parts: {
  nodes?: readonly DiagramNode[];
  edges?: readonly DiagramEdge[];
}): string {
  const lines = ['flowchart TD'];
  for (const node of parts.nodes ?? []) {
    // Mermaid rejects an empty pair of quotes.
    lines.push(`    ${node.id}["${escapeLabel(node.label) || ' '}"]`);
  }
  for (const edge of parts.edges ?? []) {
    const label = escapeLabel(edge.label ?? '');
    const arrow = label ? `-->|"${label}"|` : '-->';
    lines.push(`    ${edge.from} ${arrow} ${edge.to}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Escapes a label for use between quotes: one line, with special characters as `#code;`. */
export function escapeLabel(label: string): string {
  return label
    .replace(BIDI_CONTROLS, '')
    .replace(BLANKS, ' ')
    .replace(/^ | $/g, '')
    .replace(SPECIAL, (character) => `#${character.codePointAt(0)};`)
    .replace(DIRECTION, '#100;');
}
