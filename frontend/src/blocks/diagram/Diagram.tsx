/** A diagram that grows node by node, as a drawing and as text. */
import type { DiagramData } from '@liveai/client';
import { DiagramBoard } from './DiagramBoard';
import { DiagramText } from './DiagramText';
import { diagramCounts } from './diagramWords';
import { ownTitle } from '../ownTitle';
import { InlineText } from '../text/InlineText';
import { plainText } from '../text/plainText';
import { writingOf } from '../text/writing';
import type { DiagramDrawingState } from './useDiagramDrawing';
import '../../look/diagram.css';
import '../../look/drawing.css';

export interface DiagramProps {
  data: DiagramData;
  /** The prompt; a title that only repeats it is omitted. */
  prompt?: string;
  drawing: DiagramDrawingState;
  /** Whether more parts may arrive. */
  isLive: boolean;
  /** Whether the text is visible below the board. */
  isText: boolean;
}

export function Diagram({ data, prompt, drawing: { drawing, hasFailed, onWidth }, isLive, isText }: DiagramProps) {
  const { title, nodes, arriving } = data;
  const heading = ownTitle(title, prompt, !isLive || nodes.length > 0);
  return (
    <div className="diagram">
      {heading && (
        <h2 className="diagram-title" {...writingOf(heading)}>
          <InlineText text={heading} isWriting={isLive} />
        </h2>
      )}
      <DiagramBoard
        drawing={drawing}
        onWidth={onWidth}
        label={`Diagram${title ? ` of ${plainText(title)}` : ''}: ${diagramCounts(data)}. Its text follows.`}
        newest={isLive ? nodes.at(-1)?.id : undefined}
        arriving={isLive ? arriving : ''}
      />
      {hasFailed && !isLive && (
        <p className="diagram-note">This diagram couldn’t be drawn. Its text is below.</p>
      )}
      <DiagramText data={data} isShown={isText || (hasFailed && !isLive)} />
    </div>
  );
}
