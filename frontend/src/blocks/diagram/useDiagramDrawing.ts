/** Draws a growing diagram in the direction that suits its board. */
import { useState } from 'react';
import type { DiagramData } from '@liveai/client';
import type { DiagramDrawing } from '../drawing/diagramSvg';
import { drawnSource } from '../drawing/drawnSource';
import { type DrawingState, drawLazily, useDrawing } from '../drawing/useDrawing';
import { type Widths, directionFor, fitsAcross } from './diagramView';

export interface DiagramDrawingState extends DrawingState {
  /** Takes the width of the board, in CSS pixels. */
  onWidth?: (width: number) => void;
}

/** Where boards can't be measured, they count as narrow. */
const UNMEASURED = typeof ResizeObserver === 'undefined' ? 0 : undefined;

const UNDRAWN: Widths = { LR: 0, TD: 0 };

/**
 * Wide boards get diagrams from left to right, narrow ones from top to bottom, as long as the whole
 * width fits with legible words. A drawing that does not fit is not shown, but drawn again in the
 * other direction; only a drawing that fits in neither runs from top to bottom, too wide.
 */
export function useDiagramDrawing(data: DiagramData, isLive: boolean): DiagramDrawingState {
  const hasParts = data.nodes.length > 0;
  const [width, setWidth] = useState<number | undefined>(UNMEASURED);
  // Of the widest drawings: a growing diagram never returns to a direction that it has outgrown.
  const [widths, setWidths] = useState(UNDRAWN);
  if (!hasParts && widths !== UNDRAWN) setWidths(UNDRAWN);
  const direction = directionFor(width ?? 0, widths);
  const { drawing, hasFailed } = useDrawing(
    // Nothing is drawn before the board is measured.
    hasParts && width !== undefined ? drawnSource(data, direction) : undefined,
    isLive,
    drawLazily,
  );
  const isWider = drawing !== undefined && drawing.width > widths[drawing.direction];
  const known = isWider ? { ...widths, [drawing.direction]: drawing.width } : widths;
  if (isWider) setWidths(known);
  const [shown, setShown] = useState<DiagramDrawing>();
  const isShowable =
    !drawing || fitsAcross(drawing.width, width ?? 0) || drawing.direction === directionFor(width ?? 0, known);
  if (isShowable && drawing !== shown) setShown(drawing);
  return { drawing: shown, hasFailed, onWidth: setWidth };
}
