import { expect, it } from 'vitest';
import { diagramSource } from '../ai';
import { fromStandIns, toStandIns } from './diagramStandIns';

it('shows a label as it was, whatever it holds', () => {
  const label = `x"] --> n2["y <b>&lt; #60; 1. - ${String.fromCharCode(0xfb02)}°°60¶ß {;} $$`;
  const drawn = toStandIns(diagramSource({ nodes: [{ id: 'n1', label }], edges: [] }));
  expect(drawn).not.toMatch(/[#;<>&{}]/u);
  expect(fromStandIns(drawn)).toBe(`flowchart TD\n    n1["${label}"]\n`);
});

it('lets no label pass for a direction of the whole diagram', () => {
  const drawn = toStandIns(diagramSource({ nodes: [{ id: 'n1', label: 'indirection LR' }], edges: [] }));
  expect(drawn).not.toContain('direction');
  expect(fromStandIns(drawn)).toContain('indirection LR');
});

it('leaves the arrows and the quotes of the source alone', () => {
  const source = diagramSource({
    nodes: [
      { id: 'n1', label: 'A' },
      { id: 'n2', label: 'B' },
    ],
    edges: [{ from: 'n1', to: 'n2', label: 'fills' }],
  });
  expect(toStandIns(source)).toBe(source);
});
