/**
 * The Mermaid text of a diagram's parts: what the server puts into `result.source`, made here while
 * the parts arrive.
 *
 * Source: specs/050-live-ai-interaction/fixtures/diagram-source.json, which holds both to the byte.
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
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  /[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+/gu;
/** They would turn the text beside the label around. */
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/**
 * All of ASCII that could mean something to Mermaid, Markdown or HTML, and the ligature that Mermaid
 * itself puts in the place of an entity's `&`.
 */
const SPECIAL = /[^A-Za-z0-9 ,'?!\u0080-\ufb01\ufb03-\u{10ffff}]/gu;
/** Mermaid takes a whole line for a statement wherever this stands in it, in quotes too. */
const DIRECTION = /d(?=irection (?:TB|BT|LR|RL|TD))/g;

/**
 * A top-down flowchart.
 *
 * @param parts - node ids are `n` and digits; labels are any text.
 * @returns Lines with a line break after each. Whatever a label holds is shown as text: it can't end
 *   its quotes, begin a directive, or become markup.
 */
export function diagramSource(parts: {
  nodes?: readonly DiagramNode[];
  edges?: readonly DiagramEdge[];
}): string {
  const lines = ['flowchart TD'];
  for (const node of parts.nodes ?? []) {
    // An empty pair of quotes is a syntax error to Mermaid.
    lines.push(`    ${node.id}["${escapeLabel(node.label) || ' '}"]`);
  }
  for (const edge of parts.edges ?? []) {
    const label = escapeLabel(edge.label ?? '');
    const arrow = label ? `-->|"${label}"|` : '-->';
    lines.push(`    ${edge.from} ${arrow} ${edge.to}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A label as it may stand between quotes: one line, special characters as `#code;`. */
export function escapeLabel(label: string): string {
  return label
    .replace(BIDI_CONTROLS, '')
    .replace(BLANKS, ' ')
    .replace(/^ | $/g, '')
    .replace(SPECIAL, (character) => `#${character.codePointAt(0)};`)
    .replace(DIRECTION, '#100;');
}
