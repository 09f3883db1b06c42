/** A diagram as lists, always available to people who cannot see the board. */
import type { DiagramData } from '@liveai/client';
import { InlineText } from '../text/InlineText';
import { type Writing, directionOf, writingOf } from '../text/writing';

export interface DiagramTextProps {
  data: Pick<DiagramData, 'nodes' | 'edges'>;
  /** Whether it is visible. Screen readers read it either way. */
  isShown: boolean;
}

export function DiagramText({ data: { nodes, edges }, isShown }: DiagramTextProps) {
  const labels = new Map(nodes.map((node) => [node.id, node.label]));
  const writing = writingOf([...labels.values()].join(' '));
  return (
    <div className={isShown ? 'diagram-text' : 'visually-hidden'}>
      {nodes.length > 0 && (
        <>
          <h2>Steps</h2>
          <ol {...writing}>
            {nodes.map((node) => (
              <li key={node.id}>
                <Label text={node.label} around={writing.dir} />
              </li>
            ))}
          </ol>
        </>
      )}
      {edges.length > 0 && (
        <>
          <h2>Links</h2>
          <ul {...writing}>
            {edges.map(({ from, to, label }) => (
              <li key={`${from} ${to}`}>
                <Label text={labels.get(from) ?? from} around={writing.dir} /> <em lang="en">leads to</em>{' '}
                <Label text={labels.get(to) ?? to} around={writing.dir} />
                {label && (
                  <>
                    : <Label text={label} around={writing.dir} />
                  </>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** A label in the other direction keeps it among ours. */
function Label({ text, around }: { text: string; around: Writing['dir'] }) {
  const dir = directionOf(text);
  const label = <InlineText text={text} />;
  return dir === undefined || dir === around ? label : <bdi>{label}</bdi>;
}
