/** The drawing of a text that grows, as React state. */
import { useEffect, useId, useRef, useState } from 'react';
import type { DiagramDrawing } from './diagramSvg';
import { type DrawingLoop, drawingLoop } from './drawingLoop';

export type DrawDiagram = (source: string, key: string) => Promise<DiagramDrawing>;

export interface DrawingState {
  /** The last one that succeeded. */
  drawing: DiagramDrawing | undefined;
  /** Whether the newest text that had its turn could not be drawn. */
  hasFailed: boolean;
}

const NOTHING: DrawingState = { drawing: undefined, hasFailed: false };

/**
 * @param source - undefined while there is nothing to draw; then there is no drawing either.
 * @param isLive - whether it may grow.
 * @param draw - the same function for the life of the component.
 */
export function useDrawing(source: string | undefined, isLive: boolean, draw: DrawDiagram): DrawingState {
  const key = `diagram${useId().replace(/[^A-Za-z0-9]/gu, '')}`;
  const [state, setState] = useState(NOTHING);
  if (source === undefined && state !== NOTHING) setState(NOTHING);
  const loop = useRef<DrawingLoop>(undefined);
  useEffect(() => {
    const mine = drawingLoop<DiagramDrawing>({
      draw: (text) => draw(text, key),
      onDrawn: (drawing) => setState({ drawing, hasFailed: false }),
      onFailed: () => setState((now) => ({ ...now, hasFailed: true })),
    });
    loop.current = mine;
    return () => mine.clear();
  }, [draw, key]);
  useEffect(() => {
    if (source === undefined) {
      loop.current?.clear();
    } else {
      loop.current?.request(source, !isLive);
    }
  }, [source, isLive]);
  return state;
}

/** Fetches the renderer, and Mermaid with it, when there is something to draw. */
export async function drawLazily(source: string, key: string): Promise<DiagramDrawing> {
  const { drawDiagram } = await import('./diagramRenderer');
  return drawDiagram(source, key);
}

/** Fetches what `drawLazily` will need, so that the first parts are drawn as they come. */
export function preloadDrawing(): void {
  import('./diagramRenderer').then(({ preloadMermaid }) => preloadMermaid()).catch(() => undefined);
}
