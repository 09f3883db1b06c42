/** Zooms and pans a board by buttons, wheel, drag and keys. */
import { type KeyboardEvent, type PointerEvent, type RefObject, useEffect, useEffectEvent, useRef, useState } from 'react';
import { type Point, type Size, type View, FULL_AT_MOST, ZOOM_STEP, fitted, panned, zoomed } from './diagramView';

/** The distance that an arrow key moves, in CSS pixels. */
const STEP = 48;
/** One notch of the wheel is about 100 pixels: one step of zoom. */
const WHEEL_PER_STEP = 100;
/** Pixels per line: Firefox counts in lines, three per notch. */
const LINE = 33;

export interface BoardView {
  view: View | undefined;
  /**
   * What a finger moves on the board: the page, if the whole drawing is shown; the page up and down
   * and the drawing sideways, if the drawing is only too wide; the drawing, once it is zoomed, or
   * if it is larger than the screen that it fills.
   */
  touch: 'page' | 'sideways' | 'drawing';
  isDragged: boolean;
  zoomBy(factor: number): void;
  fit(): void;
  onKeyDown(event: KeyboardEvent): void;
  onPointerDown(event: PointerEvent<HTMLElement>): void;
  onPointerMove(event: PointerEvent<HTMLElement>): void;
  onPointerUp(event: PointerEvent<HTMLElement>): void;
}

export interface BoardScreen {
  /** The space above a fitted drawing, in CSS pixels. */
  top: number;
  /** Whether the board fills the screen. */
  isFull: boolean;
  /** Enters or leaves the full screen. */
  onFull(): void;
}

export function useBoardView(
  element: RefObject<HTMLElement | null>,
  drawing: Size | undefined,
  board: Size | undefined,
  { top, isFull, onFull }: BoardScreen,
): BoardView {
  // Undefined means fitted, and fitted again whenever the drawing or the board changes.
  const [chosen, setChosen] = useState<View>();
  // Another screen needs another view.
  const [wasFull, setWasFull] = useState(isFull);
  if (wasFull !== isFull) {
    setWasFull(isFull);
    setChosen(undefined);
  }
  const [isDragged, setDragged] = useState(false);
  const from = useRef<Point & { id: number }>(undefined);
  const fit = drawing && board && fitted(drawing, board, { top, atMost: isFull ? FULL_AT_MOST : undefined });
  const view = fit && (chosen ?? fit);
  const isTooWide = drawing && board && fit && fit.x + drawing.width * fit.scale > board.width;
  const isTooHigh = drawing && board && fit && fit.y + drawing.height * fit.scale > board.height;
  const isMoved = view?.scale !== fit?.scale || view?.y !== fit?.y;
  const touch = isMoved || (isFull && (isTooWide || isTooHigh)) ? 'drawing' : isTooWide ? 'sideways' : 'page';

  const change = (next: (view: View) => View) => {
    if (fit) setChosen((now) => next(now ?? fit));
  };
  const middle = { x: (board?.width ?? 0) / 2, y: (board?.height ?? 0) / 2 };
  const zoomBy = (factor: number, at: Point = middle) => change((now) => zoomed(now, factor, at));
  const panBy = (by: Point) => {
    if (drawing && board) change((now) => panned(now, by, drawing, board));
  };

  const zoomByWheel = useEffectEvent((event: WheelEvent, box: DOMRect) => {
    const at = { x: event.clientX - box.left, y: event.clientY - box.top };
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * LINE;
    zoomBy(ZOOM_STEP ** (-pixels / WHEEL_PER_STEP), at);
  });
  useEffect(() => {
    const target = element.current;
    if (target === null) return undefined;
    // React's wheel listener is passive, so it could not prevent the page from zooming.
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomByWheel(event, target.getBoundingClientRect());
    };
    target.addEventListener('wheel', onWheel, { passive: false });
    return () => target.removeEventListener('wheel', onWheel);
  }, [element]);

  return {
    view,
    touch,
    isDragged,
    zoomBy,
    fit: () => setChosen(undefined),
    onKeyDown(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const act = keyAction(event.key);
      if (act === undefined) return;
      event.preventDefault();
      if (act === 'fit') setChosen(undefined);
      else if (act === 'full') onFull();
      else if (typeof act === 'number') zoomBy(act);
      else panBy(act);
    },
    onPointerDown(event) {
      if (event.button !== 0 || (event.target as Element).closest('button')) return;
      if (event.pointerType === 'touch' && touch === 'page') return;
      from.current = { id: event.pointerId, x: event.clientX, y: event.clientY };
      event.currentTarget.setPointerCapture?.(event.pointerId);
      setDragged(true);
    },
    onPointerMove(event) {
      const last = from.current;
      if (last?.id !== event.pointerId) return;
      const isSideways = event.pointerType === 'touch' && touch === 'sideways';
      panBy({ x: event.clientX - last.x, y: isSideways ? 0 : event.clientY - last.y });
      from.current = { id: last.id, x: event.clientX, y: event.clientY };
    },
    onPointerUp(event) {
      if (from.current?.id !== event.pointerId) return;
      from.current = undefined;
      setDragged(false);
    },
  };
}

function keyAction(key: string): number | 'fit' | 'full' | Point | undefined {
  switch (key.toLowerCase()) {
    case '+':
    case '=':
      return ZOOM_STEP;
    case '-':
      return 1 / ZOOM_STEP;
    case '0':
      return 'fit';
    case 'f':
      return 'full';
    case 'arrowleft':
      return { x: STEP, y: 0 };
    case 'arrowright':
      return { x: -STEP, y: 0 };
    case 'arrowup':
      return { x: 0, y: STEP };
    case 'arrowdown':
      return { x: 0, y: -STEP };
    default:
      return undefined;
  }
}
