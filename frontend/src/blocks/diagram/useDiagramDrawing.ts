/** Draws a growing diagram in the direction that suits its board. */
import { useState } from 'react';
import type { DiagramData } from '../../ai';
import type { DiagramDrawing } from '../drawing/diagramSvg';
import { drawnSource } from '../drawing/drawnSource';
import { type DrawingState, drawLazily, useDrawing } from '../drawing/useDrawing';
import { directionFor, fitsSideways } from './diagramView';

export interface DiagramDrawingState extends DrawingState {
  /** Takes the width of the board, in CSS pixels. */
  onWidth?: (width: number) => void;
}

/** Where boards can't be measured, they count as narrow. */
const UNMEASURED = typeof ResizeObserver === 'undefined' ? 0 : undefined;

/**
 * Wide boards get diagrams from left to right, as long as the whole drawing fits with legible
 * words. A drawing that does not fit is never shown: it is drawn again, from top to bottom.
 */
export function useDiagramDrawing(data: DiagramData, isLive: boolean): DiagramDrawingState {
  const hasParts = data.nodes.length > 0;
  const [width, setWidth] = useState<number | undefined>(UNMEASURED);
  // Of the widest drawing from left to right: a growing diagram changes its direction only once.
  const [sideways, setSideways] = useState(0);
  if (!hasParts && sideways > 0) setSideways(0);
  const direction = directionFor(width ?? 0, sideways);
  const { drawing, hasFailed } = useDrawing(
    // Nothing is drawn before the board is measured.
    hasParts && width !== undefined ? drawnSource(data, direction) : undefined,
    isLive,
    drawLazily,
  );
  if (drawing?.direction === 'LR' && drawing.width > sideways) setSideways(drawing.width);
  const [shown, setShown] = useState<DiagramDrawing>();
  const isShowable = drawing?.direction !== 'LR' || fitsSideways(drawing.width, width ?? 0);
  if (isShowable && drawing !== shown) setShown(drawing);
  return { drawing: shown, hasFailed, onWidth: setWidth };
}
