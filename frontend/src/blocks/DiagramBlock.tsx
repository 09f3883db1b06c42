import { useEffect, useMemo, useState } from 'react';
import { type DiagramData, diagramData, useAIBlockStreaming } from '../ai';
import { BlockShell } from './BlockShell';
import { Diagram } from './diagram/Diagram';
import { DiagramTools } from './diagram/DiagramTools';
import { drawnSource } from './diagram/drawnSource';
import { diagramCounts } from './diagram/diagramWords';
import { useShownStream } from './shownStream';
import type { BlockProps } from './types';
import { drawLazily, preloadDrawing, useDrawing } from './diagram/useDrawing';

/** A diagram that is drawn while the model names its parts. */
export function DiagramBlock(props: BlockProps) {
  const { block } = props;
  const live = useAIBlockStreaming(block.slug);
  const { items, arriving } = live;
  // By the output and not by the slug: an admin's block may be a diagram too.
  const data = useMemo(() => diagramData({ items, arriving }), [items, arriving]);
  const stream = useShownStream<DiagramData>({ ...live, data }, props.stream, diagramData);
  const diagram = stream.data;
  const hasParts = diagram.nodes.length > 0;
  const drawing = useDrawing(hasParts ? drawnSource(diagram) : undefined, stream.isLoading, drawLazily);
  useEffect(preloadDrawing, []);
  const [isText, setText] = useState(false);
  const counts = diagramCounts(diagram);
  return (
    <BlockShell
      {...props}
      stream={stream}
      facts={hasParts && <span>{stream.isLoading ? `${counts} so far` : counts}</span>}
      // The source has a button of its own, which is there while it grows.
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
      {/* Another stream begins with a board of its own: one of its height, seen from where it fits. */}
      <Diagram
        key={stream.streamId}
        data={diagram}
        prompt={stream.prompt}
        drawing={drawing}
        isLive={stream.isLoading}
        isText={isText}
      />
    </BlockShell>
  );
}
