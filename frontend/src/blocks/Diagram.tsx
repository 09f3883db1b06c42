/** A diagram that grows node by node: the board, and the same as text. */
import type { DiagramData } from '../ai';
import { DiagramBoard } from './DiagramBoard';
import { DiagramText } from './DiagramText';
import { diagramCounts } from './diagramWords';
import type { DrawingState } from './useDrawing';
import '../look/diagram.css';
import '../look/drawing.css';

export interface DiagramProps {
  data: DiagramData;
  drawing: DrawingState;
  /** Whether more may come. */
  isLive: boolean;
  /** Whether the text is to be seen beside the board. */
  isText: boolean;
}

export function Diagram({ data, drawing: { drawing, hasFailed }, isLive, isText }: DiagramProps) {
  const { title, nodes, arriving } = data;
  return (
    <div className="diagram">
      {title && <h2 className="diagram-title">{title}</h2>}
      <DiagramBoard
        drawing={drawing}
        label={`Diagram${title ? ` of ${title}` : ''}: ${diagramCounts(data)}. It follows as text.`}
        newest={isLive ? nodes.at(-1)?.id : undefined}
        arriving={isLive ? arriving : ''}
      />
      {hasFailed && !isLive && (
        <p className="diagram-note">This diagram could not be drawn here. Its parts stand below as text.</p>
      )}
      <DiagramText data={data} isShown={isText || (hasFailed && !isLive)} />
    </div>
  );
}
