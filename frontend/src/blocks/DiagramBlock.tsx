import { useEffect, useState } from 'react';
import { type DiagramData, diagramData } from '@liveai/client';
import { useAIBlockStreaming } from '@liveai/client/react';
import { BlockShell } from './BlockShell';
import { Diagram } from './diagram/Diagram';
import { diagramCopies, diagramDownloads } from './diagram/diagramForms';
import { diagramCounts } from './diagram/diagramWords';
import { useDiagramDrawing } from './diagram/useDiagramDrawing';
import { useShownStream } from './shownStream';
import type { BlockProps } from './types';
import { preloadDrawing } from './drawing/useDrawing';

/** Draws a diagram while the model is still adding parts to it. */
export function DiagramBlock(props: BlockProps) {
  const { block } = props;
  // Chosen by output rather than by slug, because an admin's block may produce a diagram too.
  const stream = useShownStream<DiagramData>(useAIBlockStreaming(block.slug), props.stream, diagramData);
  const diagram = stream.data;
  const hasParts = diagram.nodes.length > 0;
  const drawing = useDiagramDrawing(diagram, stream.isLoading);
  useEffect(preloadDrawing, []);
  const [isText, setText] = useState(false);
  const counts = diagramCounts(diagram);
  return (
    <div className="diagram-scene">
      <BlockShell
        {...props}
        stream={stream}
        mayFollow={false}
        facts={hasParts && <li>{counts}</li>}
        copies={hasParts ? diagramCopies(diagram) : []}
        downloads={hasParts ? diagramDownloads(diagram, diagram.title || (stream.prompt ?? ''), drawing.drawing) : []}
        tools={
          hasParts && (
            <button type="button" className="button" aria-pressed={isText} onClick={() => setText(!isText)}>
              Show as text
            </button>
          )
        }
        endWords={`Diagram complete, ${counts}`}
      >
        {/* A new stream gets a new board, with its own height and a fitted view. */}
        <Diagram
          key={stream.streamId}
          data={diagram}
          prompt={stream.prompt}
          drawing={drawing}
          isLive={stream.isLoading}
          isText={isText}
        />
      </BlockShell>
    </div>
  );
}
