/** A diagram as lists, always available to people who cannot see the board. */
import type { DiagramData } from '../../ai';

export interface DiagramTextProps {
  data: Pick<DiagramData, 'nodes' | 'edges'>;
  /** Whether it is visible. Screen readers read it either way. */
  isShown: boolean;
}

export function DiagramText({ data: { nodes, edges }, isShown }: DiagramTextProps) {
  const labels = new Map(nodes.map((node) => [node.id, node.label]));
  return (
    <div className={isShown ? 'diagram-text' : 'visually-hidden'}>
      {nodes.length > 0 && (
        <>
          <h3>Steps</h3>
          <ol>
            {nodes.map((node) => (
              <li key={node.id}>{node.label}</li>
            ))}
          </ol>
        </>
      )}
      {edges.length > 0 && (
        <>
          <h3>Links</h3>
          <ul>
            {edges.map(({ from, to, label }) => (
              <li key={`${from} ${to}`}>
                {labels.get(from) ?? from} <em>leads to</em> {labels.get(to) ?? to}
                {label && `: ${label}`}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
