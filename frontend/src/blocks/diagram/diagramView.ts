/** The visible part of a drawing on its board: pure arithmetic in CSS pixels. */
import type { Direction } from '../drawing/drawnSource';
import { LEGIBLE_SCALE } from '../drawing/legible';

export interface Size {
  width: number;
  height: number;
}
export interface Point {
  x: number;
  y: number;
}
/** A point of the drawing appears at `point × scale + (x, y)`. */
export interface View extends Point {
  scale: number;
}

const MARGIN = 24;
/** A small drawing is not enlarged to fill the board. */
const FIT_AT_MOST = 1.15;
/** On a whole screen it is, up to this. */
export const FULL_AT_MOST = 2;
/** The space above a fitted drawing: it never lies under the buttons in the corner. */
export const TOP = 60;
const MIN_SCALE = 0.1;
const MAX_SCALE = 4;

export const ZOOM_STEP = 1.25;
export const MIN_BOARD_HEIGHT = 300;
/** Boards of this width prefer diagrams from left to right, narrower ones from top to bottom. */
const WIDE_BOARD = 640;

/** The width of a drawing in each direction; 0 if unknown. */
export type Widths = Readonly<Record<Direction, number>>;

/** Returns the preferred direction in which the drawing fits; top to bottom, if it fits in neither. */
export function directionFor(boardWidth: number, widths: Widths): Direction {
  const order: readonly Direction[] = boardWidth >= WIDE_BOARD ? ['LR', 'TD'] : ['TD', 'LR'];
  return order.find((direction) => fitsAcross(widths[direction], boardWidth)) ?? 'TD';
}

/** Whether a board shows the whole width of a drawing with legible words. */
export function fitsAcross(width: number, boardWidth: number): boolean {
  return width * LEGIBLE_SCALE <= boardWidth - 2 * MARGIN;
}

/**
 * Returns the view that shows the whole drawing, centred; its beginning, if it is too large.
 *
 * @param top - the space above the drawing, in CSS pixels.
 */
export function fitted(drawing: Size, board: Size, { top = TOP, atMost = FIT_AT_MOST } = {}): View {
  const scale = Math.max(
    LEGIBLE_SCALE,
    Math.min(
      atMost,
      (board.width - 2 * MARGIN) / drawing.width,
      (board.height - top - MARGIN) / drawing.height,
    ),
  );
  // A small drawing is centred on the board, a large one starts below the buttons.
  const y = (board.height - drawing.height * scale) / 2;
  const x = (board.width - drawing.width * scale) / 2;
  return { scale, x: Math.max(MARGIN, x), y: Math.max(top, y) };
}

/** Zooms by a factor; the point `at` of the board stays where it is. */
export function zoomed(view: View, factor: number, at: Point): View {
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, view.scale * factor));
  const change = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * change, y: at.y - (at.y - view.y) * change };
}

/** Pans, but keeps part of the drawing on the board. */
export function panned(view: View, by: Point, drawing: Size, board: Size): View {
  return {
    scale: view.scale,
    x: between(MARGIN - drawing.width * view.scale, view.x + by.x, board.width - MARGIN),
    y: between(MARGIN - drawing.height * view.scale, view.y + by.y, board.height - MARGIN),
  };
}

/** Returns the height that a board needs to show a whole drawing. */
export function boardHeight(drawing: Size, boardWidth: number, top = TOP): number {
  const scale = Math.max(LEGIBLE_SCALE, Math.min(1, (boardWidth - 2 * MARGIN) / drawing.width));
  return Math.max(MIN_BOARD_HEIGHT, Math.ceil(drawing.height * scale + top + MARGIN));
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(least, most), Math.max(least, value));
}
