/** Makes a safe Mermaid source of a flowchart: ids of our own, and every label escaped. */
import { escapeLabel } from '@liveai/client';
import type { Flowchart, FlowchartLink } from './flowchart';
import type { Shape } from './flowchartNode';

const BRACKETS: Readonly<Record<Shape, readonly [string, string]>> = {
  box: ['[', ']'],
  round: ['(', ')'],
  pill: ['([', '])'],
  circle: ['((', '))'],
  decision: ['{', '}'],
  hexagon: ['{{', '}}'],
  store: ['[(', ')]'],
  parallelogram: ['[/', '/]'],
};

const LINES: Readonly<Record<FlowchartLink['line'], readonly [line: string, arrow: string]>> = {
  solid: ['---', '-->'],
  dotted: ['-.-', '-.->'],
  thick: ['===', '==>'],
  invisible: ['~~~', '~~~'],
};

/** @returns what `drawDiagram` takes. */
export function flowchartSource({ direction, nodes, links, groups }: Flowchart): string {
  const ids = new Map([
    ...nodes.map(({ id }, index) => [id, `n${index + 1}`] as const),
    ...groups.map(({ id }, index) => [id, `g${index + 1}`] as const),
  ]);
  const groupIds = new Set(groups.map(({ id }) => id));
  const lines = nodes.map(({ id, label, shape }) => {
    const [open, close] = BRACKETS[shape];
    return `    ${ids.get(id)}${open}${quoted(label)}${close}`;
  });
  const open = (around: string | undefined): void => {
    for (const group of groups.filter((each) => each.around === around)) {
      lines.push(`    subgraph ${ids.get(group.id)}[${quoted(group.label)}]`);
      for (const id of group.nodes) if (!groupIds.has(id)) lines.push(`    ${ids.get(id)}`);
      open(group.id);
      lines.push('    end');
    }
  };
  open(undefined);
  for (const { from, to, label, line, hasStart, hasEnd } of links) {
    const [plain, arrow] = LINES[line];
    const marks = `${hasStart && hasEnd && line !== 'invisible' ? '<' : ''}${hasEnd ? arrow : plain}`;
    lines.push(`    ${ids.get(from)} ${marks}${label && line !== 'invisible' ? `|${quoted(label)}|` : ''} ${ids.get(to)}`);
  }
  return `flowchart ${direction}\n${lines.join('\n')}\n`;
}

function quoted(label: string): string {
  return `"${escapeLabel(label) || ' '}"`;
}
