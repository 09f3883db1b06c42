import { expect, it } from 'vitest';
import { diagramData, diagramSource } from '@liveai/client';
import { drawnSource, fromStandIns, toStandIns } from './drawnSource';

it('shows a label unchanged, whatever it contains', () => {
  const label = `x"] --> n2["y <b>&lt; #60; 1. - ${String.fromCharCode(0xfb02)}°°60¶ß {;} $$`;
  const drawn = toStandIns(diagramSource({ nodes: [{ id: 'n1', label }], edges: [] }));
  expect(drawn).not.toMatch(/[#;<>&{}]/u);
  expect(fromStandIns(drawn)).toBe(`flowchart TD\n    n1["${label}"]\n`);
});

it('lets no label act as a direction of the whole diagram', () => {
  const drawn = toStandIns(diagramSource({ nodes: [{ id: 'n1', label: 'indirection LR' }], edges: [] }));
  expect(drawn).not.toContain('direction');
  expect(fromStandIns(drawn)).toContain('indirection LR');
});

it('leaves the arrows and quotes of the source alone', () => {
  const source = diagramSource({
    nodes: [
      { id: 'n1', label: 'A' },
      { id: 'n2', label: 'B' },
    ],
    edges: [{ from: 'n1', to: 'n2', label: 'fills' }],
  });
  expect(toStandIns(source)).toBe(source);
});

it('arranges unlinked parts in columns', () => {
  const nodes = Array.from({ length: 9 }, (_, i) => ({ path: `/nodes/${i}`, value: { id: `n${i + 1}`, label: 'x' } }));
  const drawn = drawnSource(diagramData({ items: nodes, arriving: {} }));
  expect(drawn).toContain('n6 ~~~ n7');
  expect(drawn).not.toContain('n7 ~~~ n8');
  expect(drawn).toContain('n8 ~~~ n9');
});

it('holds unlinked parts in place, and releases those that have a link', () => {
  const nodes = ['n1', 'n2', 'n3', 'n4'].map((id, i) => ({ path: `/nodes/${i}`, value: { id, label: id } }));
  const edge = { path: '/edges/0', value: { from: 'n1', to: 'n3' } };
  const data = diagramData({ items: [...nodes, edge], arriving: {} });
  expect(drawnSource(data)).toBe(`${data.source}    n1 ~~~ n2\n    n3 ~~~ n4\n`);
});
