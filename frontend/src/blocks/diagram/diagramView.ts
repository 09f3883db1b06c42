/** Where on its board a drawing is seen: pure arithmetic in CSS pixels. */

export interface Size {
  width: number;
  height: number;
}
export interface Point {
  x: number;
  y: number;
}
/** A point of the drawing is shown at `point × scale + (x, y)`. */
export interface View extends Point {
  scale: number;
}

const MARGIN = 24;
/** Room for the buttons in the corner: what is fitted never lies under them. */
const TOP = 60;
/** A small drawing is not blown up to fill the board. */
const FIT_AT_MOST = 1.15;
const MIN_SCALE = 0.1;
const MAX_SCALE = 4;

export const ZOOM_STEP = 1.25;
export const MIN_BOARD_HEIGHT = 430;
export const MAX_BOARD_HEIGHT = 640;

/** All of it, in the middle. */
export function fitted(drawing: Size, board: Size): View {
  const scale = Math.max(
    MIN_SCALE,
    Math.min(
      FIT_AT_MOST,
      (board.width - 2 * MARGIN) / drawing.width,
      (board.height - TOP - MARGIN) / drawing.height,
    ),
  );
  // A small one stands in the middle of the board, a large one in the middle of what is free.
  const y = (board.height - drawing.height * scale) / 2;
  return { scale, x: (board.width - drawing.width * scale) / 2, y: Math.max(TOP, y) };
}

/** Nearer or farther, with the point of the board that is named staying where it is. */
export function zoomed(view: View, factor: number, at: Point): View {
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, view.scale * factor));
  const change = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * change, y: at.y - (at.y - view.y) * change };
}

/** Moved, but never so far that nothing of the drawing is left on the board. */
export function panned(view: View, by: Point, drawing: Size, board: Size): View {
  return {
    scale: view.scale,
    x: between(MARGIN - drawing.width * view.scale, view.x + by.x, board.width - MARGIN),
    y: between(MARGIN - drawing.height * view.scale, view.y + by.y, board.height - MARGIN),
  };
}

/** What a board needs to show a drawing as large as its width allows, within bounds. */
export function boardHeight(drawing: Size, boardWidth: number): number {
  const scale = Math.min(1, Math.max(0, boardWidth - 2 * MARGIN) / drawing.width);
  return between(MIN_BOARD_HEIGHT, Math.ceil(drawing.height * scale + TOP + MARGIN), MAX_BOARD_HEIGHT);
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(least, most), Math.max(least, value));
}
