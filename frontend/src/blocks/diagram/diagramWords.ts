import type { DiagramData } from '@liveai/client';
import { counted } from '../counted';

/** "6 steps, 4 links". */
export function diagramCounts({ nodes, edges }: Pick<DiagramData, 'nodes' | 'edges'>): string {
  return `${counted(nodes.length, 'step')}, ${counted(edges.length, 'link')}`;
}
