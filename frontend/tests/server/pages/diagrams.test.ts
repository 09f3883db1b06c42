/** Diagrams whose labels are out to break them: Mermaid takes each, in a real browser. */
import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { diagramSource } from '../../../src/ai';
import type { DiagramEdge, DiagramNode } from '../../../src/ai';
import { drawnSource, toStandIns } from '../../../src/blocks/drawing/drawnSource';
import { useBrowser, useServer } from '../browser';
import { seeded } from '../visitor';

/** `scripts/test --full` takes more. */
const DIAGRAMS = process.env['LIVEAI_FULL'] ? 1_000 : 200;
const DRAWN = 60;

const browsers = useBrowser();

/** The chunks of the built pages, by source file. */
const manifest = JSON.parse(
  readFileSync(new URL('../../../dist/manifest.json', import.meta.url), 'utf8'),
) as Record<string, { file: string }>;

function chunk(source: string): string {
  const file = Object.entries(manifest).find(([made]) => made.endsWith(source))?.[1].file;
  if (!file) throw new Error(`There is no chunk of ${source}: scripts/test builds the pages.`);
  return `/static/ai/${file}`;
}

const BITS = [
  ...['end', 'subgraph', 'direction LR', 'click n1', 'style n1 fill:url(x)', 'classDef x', 'linkStyle 0', 'graph TD', 'flowchart', 'default'],
  ...['%%{init: {"securityLevel": "loose"}}%%', '%% note', '"', "'", '`', '`**b**`', '#quot;', '#35;', '&quot;', '&#x3c;', ';', ':::', '|', '||', '~~~'],
  ...['[', ']', '(', ')', '{', '}', '[[', '))', '>', '<', '-->', '---', '==>', '-.->', '<-->', 'x--x', '@{ shape: rect }', '@{img: "https://evil.example/a"}'],
  ...['<script>window.hacked=1</script>', '<img src=x onerror=window.hacked=1>', '<br/>', '<b>', '</g>', '\\', '\\n', '\n', '\t', '\u2028', '\0', '\u202e'],
  ...['$$x$$', '$$\\href{javascript:window.hacked=1}{x}$$', '![x](https://evil.example/b.png)', '[x](javascript:1)', '* list', '1. list', '# title', '---', '___'],
  ...['漢字', 'Ünïcödé', '👩‍🔬', 'עברית', 'ﬂ', 'ﬂ°°35¶ß', '\u{f0022}', 'e\u0301', 'n1', 'o', 'x', 'A'],
  ...['accTitle: x', 'title: x', '---\ntitle: x\n---', 'href "https://evil.example"', 'call f()', '_self', 'TB', 'interpolate', 'constructor', '__proto__'],
];

interface Parts {
  nodes: DiagramNode[];
  edges: DiagramEdge[];
}

function hostile(seed: number): Parts {
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const label = () =>
    Array.from({ length: 1 + below(5) }, () => BITS[below(BITS.length)]).join(random() < 0.5 ? ' ' : '');
  const nodes = Array.from({ length: 2 + below(6) }, (_, at) => ({ id: `n${at + 1}`, label: label() }));
  const edges = Array.from({ length: 1 + below(7) }, () => ({
    from: `n${1 + below(nodes.length)}`,
    to: `n${1 + below(nodes.length)}`,
    ...(random() < 0.6 ? { label: label() } : {}),
  }));
  return { nodes, edges };
}

/**
 * The visible characters of a label, because Mermaid breaks labels into lines.
 * Mermaid shows a label's "¶ß" as a semicolon, and a stand-in in a label shows as its original
 * character. Both are harmless.
 */
function inked(label: string): string {
  return label
    .replace(/[\s\p{Cc}\p{Bidi_Control}]/gu, '')
    .replaceAll('¶ß', ';')
    .replaceAll('\u{f0022}', '"');
}

/** The exports of the pages' chunks. */
interface Loaded {
  drawDiagram(source: string, key: string): Promise<{ svg: SVGSVGElement }>;
  mermaid: {
    parse(source: string): Promise<{ diagramType: string }>;
    mermaidAPI: {
      getDiagramFromText(source: string): Promise<{ db: { getVertices(): Map<string, unknown>; getEdges(): unknown[] } }>;
    };
  };
}

/**
 * Loads the pages' renderer and Mermaid into the page. The renderer configures Mermaid with the
 * first drawing.
 */
async function load(page: Page): Promise<void> {
  const renderer = chunk('src/blocks/drawing/diagramRenderer.ts');
  const mermaid = chunk('node_modules/mermaid/dist/mermaid.core.mjs');
  // As text, because the test runner would rewrite an import inside a function.
  await page.evaluate(`(async () => {
    window.drawDiagram = (await import('${renderer}')).drawDiagram;
    window.mermaid = (await import('${mermaid}')).default;
    await drawDiagram('flowchart TD\\n    n1["first"]\\n', 'first');
  })()`);
}

function drawn(parts: Parts): string {
  return toStandIns(drawnSource({ ...parts, source: diagramSource(parts) }));
}

describe(`${DIAGRAMS} hostile diagrams`, () => {
  const site = useServer();

  it('Mermaid accepts each, with all of its parts', async () => {
    const page = await browsers.open(site.server, '/');
    await load(page);
    const diagrams = Array.from({ length: DIAGRAMS }, (_, at) => hostile(at + 1));
    const refused = await page.evaluate(
      async (texts) => {
        const { mermaid } = window as unknown as Loaded;
        const said: string[] = [];
        for (const [at, source] of texts.entries()) {
          try {
            const { diagramType } = await mermaid.parse(source);
            if (diagramType !== 'flowchart-v2') said.push(`${at + 1}: a ${diagramType}`);
            const { db } = await mermaid.mermaidAPI.getDiagramFromText(source);
            const nodes = [...db.getVertices().keys()].join();
            const wanted = [...source.matchAll(/^ {4}(n\d+)\[/gm)].map(([, id]) => id).join();
            if (nodes !== wanted) said.push(`${at + 1}: ${nodes} instead of ${wanted}`);
            const edges = db.getEdges().length;
            const lines = source.match(/^ {4}n\d+ (-->|~~~)/gm)?.length ?? 0;
            if (edges !== lines) said.push(`${at + 1}: ${edges} edges instead of ${lines}`);
          } catch (reason) {
            said.push(`${at + 1}: ${String(reason)}\n${source}`);
          }
        }
        return said;
      },
      // In the copied form, and in the drawn form.
      diagrams.flatMap((parts) => [diagramSource(parts), drawn(parts)]),
    );
    expect(refused).toEqual([]);
  }, 240_000);

  it(`${DRAWN} of them are drawn with every label, and do no harm`, async () => {
    const page = await browsers.open(site.server, '/');
    await load(page);
    const diagrams = Array.from({ length: DRAWN }, (_, at) => hostile(7_000 + at));
    const drawings = await page.evaluate(
      async (texts) => {
        const { drawDiagram } = window as unknown as Loaded;
        const results: { labels: string[]; elements: string[] }[] = [];
        for (const [at, source] of texts.entries()) {
          const { svg } = await drawDiagram(source, `test${at}`);
          document.body.append(svg);
          results.push({
            labels: [...svg.querySelectorAll('.node[data-part]')].map((node) => node.textContent ?? ''),
            elements: [...new Set([...svg.querySelectorAll('*')].map((each: Element) => each.tagName))].toSorted(),
          });
          svg.remove();
        }
        return results;
      },
      diagrams.map(diagramSource),
    );
    expect(drawings.map(({ labels }) => labels.map(inked))).toEqual(
      diagrams.map(({ nodes }) => nodes.map(({ label }) => inked(label))),
    );
    const elements = new Set(drawings.flatMap((each) => each.elements));
    expect([...elements].filter((tag) => !['g', 'path', 'rect', 'marker', 'text', 'tspan'].includes(tag))).toEqual([]);
    expect(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined();
  }, 240_000);

});
