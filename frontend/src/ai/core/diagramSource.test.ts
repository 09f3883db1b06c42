import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagramSource, escapeLabel } from './diagramSource';
import type { DiagramEdge, DiagramNode } from './diagramSource';

interface Case {
  name: string;
  parts: { nodes?: DiagramNode[]; edges?: DiagramEdge[] };
  source: string;
}

const FIXTURE = resolve(
  import.meta.dirname,
  '../../../../specs/050-live-ai-interaction/fixtures/diagram-source.json',
);
const { cases } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { cases: Case[] };

/** The only form a line may have: nothing in a label can escape its quotes. */
const LINE =
  /^(?:flowchart TD| {4}n1\["(?:[^"`<>%[\]{}|\\@\n\r#;]|#\d+;)+"\]| {4}n1 -->(?:\|"(?:[^"`<>%[\]{}|\\@\n\r#;]|#\d+;)+"\|)? n1)$/u;

describe('the source of a diagram', () => {
  it.each(cases.map((one) => [one.name, one] as const))("equals the fixture byte for byte: %s", (_, one) => {
    expect(diagramSource(one.parts)).toBe(one.source);
  });

  it('has a fixture that is not empty', () => {
    expect(cases.length).toBeGreaterThanOrEqual(15);
  });

  it('lets no character of the basic plane escape its quotes', () => {
    const escaped = Array.from({ length: 0x10000 }, (_, code) => code).filter((code) => {
      const label = `a${String.fromCharCode(code)}b`;
      const lines = diagramSource({
        nodes: [{ id: 'n1', label }],
        edges: [{ from: 'n1', to: 'n1', label }],
      }).split('\n');
      return lines.length !== 4 || lines[3] !== '' || !lines.slice(0, 3).every((line) => LINE.test(line));
    });
    expect(escaped).toEqual([]);
  });

  it('shows every printable ASCII character unchanged', () => {
    const all = Array.from({ length: 0x7e - 0x20 }, (_, i) => String.fromCharCode(0x21 + i)).join('');
    const shown = escapeLabel(all).replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
    expect(shown).toBe(all);
  });
});
