/**
 * Runs Mermaid itself, without layout. It must accept what `diagramSource` makes of hostile labels,
 * and find only the intended nodes and edges.
 */
import mermaid from 'mermaid';
import { beforeAll, describe, expect, it } from 'vitest';
import { type DiagramEdge, type DiagramNode, diagramSource } from '@liveai/client';
import { DIAGRAM_CONFIG } from './diagramRenderer';
import { drawnSource, toStandIns } from './drawnSource';

const PIECES = [
  ...['"', "'", '`', '[', ']', '(', ')', '{', '}', '<', '>', '|', '\\', '/', '#', ';', '&', '%', '@', ':', '-', '=', '~', '$', '^', '*', '_'],
  ...['%%{init: {"theme":"dark","themeCSS":"*{background:url(//x.test)}"}}%%', '%% note', '---\ntitle: x\n---'],
  ...['click n1 "javascript:alert(1)"', 'click n1 call go()', 'href "https://x.test" _blank', ':::danger', 'linkStyle 0 fill:red'],
  ...['classDef a fill:url(//x.test)', 'style n1 fill:#f00', 'themeCSS: x', '<img src=x onerror=alert(1)>', '<script>alert(1)</script>'],
  ...['n1@{img: "https://x.test/x.png"}', 'n1@{ shape: rect }', 'fa:fa-car', '<br/>', '$$x^2$$', '`**bold**`', '1. one', '- two', '# three'],
  ...['end', 'graph', 'graph TD', 'flowchart LR', 'subgraph a', 'default', 'direction TB', 'indirection  LR', 'sequenceDiagram', 'o', 'x', 'v'],
  ...['"] --> n2["', '"| n9 --> n1 |"', '-->', '-.->', '==>', '--x', '&quot;', '#quot;', '#35;', '&#60;', '\ufb02\u00b0\u00b034\u00b6\u00df'],
  ...['\n', '\r\n', '\t', '\0', '\u001b', '\u0085', '\u2028', '\u200b', '\u202e', '\u2066', '\ufeff', '\ufffe', '\ud83d', '\udc00'],
  ...['水', 'Ελλάδα', 'مطر', '👩‍🔬', '🇫🇷', '\u{f003c}', 'a'.repeat(400), 'wort '.repeat(60), '', ' '],
];

/** Mulberry32: the same diagrams in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function generated(seed: number): { nodes: DiagramNode[]; edges: DiagramEdge[] } {
  const random = seeded(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  const label = () => Array.from({ length: below(5) }, () => PIECES[below(PIECES.length)]).join(below(2) ? ' ' : '');
  const nodes = Array.from({ length: 1 + below(12) }, (_, index) => ({ id: `n${index + 1}`, label: label() }));
  const id = () => `n${1 + below(nodes.length)}`;
  const edges = Array.from({ length: nodes.length > 1 ? below(16) : 0 }, () => ({
    from: id(),
    to: id(),
    ...(below(2) ? { label: label() } : {}),
  }));
  return { nodes, edges };
}

/** `scripts/test --full` takes more. */
const COUNT = process.env['LIVEAI_FULL'] ? 1_000 : 200;
const DIAGRAMS = Array.from({ length: COUNT }, (_, seed) => generated(seed));

interface FlowDb {
  getVertices(): Map<string, { link?: string; img?: string; icon?: string; classes: string[]; styles: string[] }>;
  getEdges(): { start: string; end: string; stroke: string }[];
  getSubGraphs(): unknown[];
}

/** Mermaid reorders them. */
const sorted = (ids: readonly string[]) => ids.toSorted().join();

beforeAll(() => mermaid.initialize(DIAGRAM_CONFIG));

describe('Mermaid', () => {
  it(`accepts each of ${COUNT} diagrams with hostile labels`, async () => {
    const refused: string[] = [];
    for (const parts of DIAGRAMS) {
      const source = diagramSource(parts);
      const parsed = await mermaid.parse(source, { suppressErrors: true });
      if (!parsed || parsed.diagramType !== 'flowchart-v2' || Object.keys(parsed.config).length > 0) refused.push(source);
    }
    expect(refused).toEqual([]);
  }, 120_000);

  it('finds exactly the intended nodes and edges in the drawn form, and no group, link, picture or style', async () => {
    const wrong: string[] = [];
    for (const parts of DIAGRAMS) {
      const source = toStandIns(drawnSource({ ...parts, source: diagramSource(parts) }));
      const db = (await mermaid.mermaidAPI.getDiagramFromText(source)).db as unknown as FlowDb;
      const vertices = [...db.getVertices()];
      const isAsMeant =
        sorted(vertices.map(([id]) => id)) === sorted(parts.nodes.map((node) => node.id)) &&
        vertices.every(([, v]) => !v.link && !v.img && !v.icon && v.classes.length === 0 && v.styles.length === 0) &&
        db
          .getEdges()
          .filter(({ stroke }) => stroke !== 'invisible')
          .map(({ start, end }) => `${start} ${end}`)
          .join() ===
          parts.edges.map(({ from, to }) => `${from} ${to}`).join() &&
        db.getSubGraphs().length === 0;
      if (!isAsMeant) wrong.push(source);
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  it('rejects invalid diagrams, so that accepting one means something', async () => {
    expect(await mermaid.parse('flowchart TD\n    n1["a"]"]\n', { suppressErrors: true })).toBe(false);
    expect(await mermaid.parse('flowchart TD\n    n1[""]\n', { suppressErrors: true })).toBe(false);
  });
});
