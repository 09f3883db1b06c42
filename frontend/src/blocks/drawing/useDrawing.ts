/** The drawing of a growing diagram, as React state. */
import { useEffect, useId, useRef, useState } from 'react';
import type { DiagramDrawing } from './diagramSvg';
import { type DrawingLoop, drawingLoop } from './drawingLoop';

export type DrawDiagram = (source: string, key: string) => Promise<DiagramDrawing>;

export interface DrawingState {
  /** The last successful drawing. */
  drawing: DiagramDrawing | undefined;
  /** Whether the newest attempt failed. */
  hasFailed: boolean;
}

const NOTHING: DrawingState = { drawing: undefined, hasFailed: false };

/**
 * @param source - undefined if there is nothing to draw; then there is no drawing either.
 * @param isLive - whether the source may grow.
 * @param draw - must be the same function for the lifetime of the component.
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

/** Draws a diagram, and loads the renderer with Mermaid first if necessary. */
export async function drawLazily(source: string, key: string): Promise<DiagramDrawing> {
  const { drawDiagram } = await import('./diagramRenderer');
  return drawDiagram(source, key);
}

/** Loads what `drawLazily` needs, so that the first parts are drawn without delay. */
export function preloadDrawing(): void {
  import('./diagramRenderer').then(({ preloadMermaid }) => preloadMermaid()).catch(() => undefined);
}
