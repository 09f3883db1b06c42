import { useEffect, useMemo, useState } from 'react';
import { type DiagramData, diagramData, useAIBlockStreaming } from '../ai';
import { BlockShell } from './BlockShell';
import { Diagram } from './diagram/Diagram';
import { DiagramTools } from './diagram/DiagramTools';
import { diagramCounts } from './diagram/diagramWords';
import { useDiagramDrawing } from './diagram/useDiagramDrawing';
import { useShownStream } from './shownStream';
import type { BlockProps } from './types';
import { preloadDrawing } from './drawing/useDrawing';

/** Draws a diagram while the model is still adding parts to it. */
export function DiagramBlock(props: BlockProps) {
  const { block } = props;
  const live = useAIBlockStreaming(block.slug);
  const { items, arriving } = live;
  // Chosen by output rather than by slug, because an admin's block may produce a diagram too.
  const data = useMemo(() => diagramData({ items, arriving }), [items, arriving]);
  const stream = useShownStream<DiagramData>({ ...live, data }, props.stream, diagramData);
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
        facts={hasParts && <span>{stream.isLoading ? `${counts} so far` : counts}</span>}
        // The source has its own button, which is available while the diagram grows.
        copyText=""
        tools={
          hasParts && (
            <DiagramTools
              source={diagram.source}
              title={diagram.title}
              drawing={drawing.drawing}
              isText={isText}
              onText={setText}
            />
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
