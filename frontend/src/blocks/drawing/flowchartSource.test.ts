import mermaid from 'mermaid';
import { beforeAll, describe, expect, it } from 'vitest';
import { DIAGRAM_CONFIG } from './diagramRenderer';
import { toStandIns } from './drawnSource';
import type { Flowchart } from './flowchart';
import { flowchartSource } from './flowchartSource';

const SHAPES = ['box', 'round', 'pill', 'circle', 'decision', 'hexagon', 'store', 'parallelogram'] as const;
const LINES = ['solid', 'dotted', 'thick'] as const;
const HOSTILE = [
  ...['"]', '%%{init: {"theme":"dark"}}%%', '<img src=x onerror=alert(1)>', 'click n1 "javascript:alert(1)"', '@{img: "//x.test"}'],
  ...['end', 'direction LR', 'subgraph', '`**b**`', '$$x$$', 'fa:fa-car', '"| n9 --> n1', '\n', ']]', '))', '}}', '/]', ''],
];

interface FlowDb {
  getVertices(): Map<string, { link?: string; img?: string; icon?: string; classes: string[]; styles: string[] }>;
  getEdges(): { start: string; end: string }[];
  getSubGraphs(): { nodes: string[] }[];
}

function chartOf(label: string, at: number): Flowchart {
  const nodes = SHAPES.map((shape) => ({ id: `${label} ${shape}`, label, shape }));
  const ids = nodes.map(({ id }) => id);
  return {
    title: '',
    direction: 'LR',
    nodes,
    links: [...ids.slice(1), 'group'].map((to, index) => ({
      from: ids[index] ?? '',
      to,
      label,
      line: LINES[index % LINES.length] ?? 'solid',
      hasStart: at % 2 === 0,
      hasEnd: index % 2 === 0,
    })),
    groups: [
      { id: 'outer', label, nodes: [], around: undefined },
      { id: 'group', label, nodes: ids.slice(0, 2), around: 'outer' },
    ],
  };
}

beforeAll(() => mermaid.initialize(DIAGRAM_CONFIG));

describe('the source of a flowchart', () => {
  it.each(HOSTILE.map((label, at) => [label, at] as const))('means what was read, whatever a label says: %j', async (label, at) => {
    const source = flowchartSource(chartOf(label, at));
    for (const text of [source, toStandIns(source)]) {
      const db = (await mermaid.mermaidAPI.getDiagramFromText(text)).db as unknown as FlowDb;
      const vertices = [...db.getVertices()];
      // Mermaid counts a group that is linked.
      expect(vertices.map(([id]) => id).toSorted()).toEqual(['g2', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8']);
      expect(vertices.every(([, v]) => !v.link && !v.img && !v.icon && v.classes.length === 0 && v.styles.length === 0)).toBe(true);
      expect(db.getEdges().map(({ start, end }) => `${start} ${end}`)).toEqual(
        ['n1 n2', 'n2 n3', 'n3 n4', 'n4 n5', 'n5 n6', 'n6 n7', 'n7 n8', 'n8 g2'],
      );
      expect(db.getSubGraphs().map(({ nodes }) => nodes.toSorted())).toEqual([['n1', 'n2'], ['g2']]);
    }
  });
});
