/** The board on which a diagram is drawn. */
import { useLayoutEffect, useRef, useState } from 'react';
import { writingOf } from '../text/writing';
import type { DiagramDrawing } from '../drawing/diagramSvg';
import { MIN_BOARD_HEIGHT, TOP, ZOOM_STEP, boardHeight } from './diagramView';
import { useBoardView } from './useBoardView';
import { useFullScreen } from './useFullScreen';
import { useBottom, useSize } from './useSize';

/** The space below the buttons, in CSS pixels. */
const BUTTONS_MARGIN = 12;

export interface DiagramBoardProps {
  drawing: DiagramDrawing | undefined;
  /** Takes the width of the board, in CSS pixels. */
  onWidth?: (width: number) => void;
  /** A description of the drawing. */
  label: string;
  /** The id of the newest node, while the diagram is live. */
  newest: string | undefined;
  /** The label being written. */
  arriving: string;
}

export function DiagramBoard({ drawing, onWidth, label, newest, arriving }: DiagramBoardProps) {
  const board = useRef<HTMLElement>(null);
  const size = useSize(board);
  const place = useRef<HTMLDivElement>(null);
  const { isFull, toggle } = useFullScreen(board);
  // Large letters make the buttons larger.
  const buttons = useRef<HTMLDivElement>(null);
  const top = Math.max(TOP, useBottom(buttons) + BUTTONS_MARGIN);
  const { view, touch, isDragged, zoomBy, fit, ...handlers } = useBoardView(board, drawing, size, {
    top,
    isFull,
    onFull: toggle,
  });
  const width = size?.width;
  useLayoutEffect(() => {
    if (width !== undefined) onWidth?.(width);
  }, [width, onWidth]);

  // The board grows with the drawing and does not shrink, so that the content below does not jump;
  // unless it gets another width, and with it perhaps another direction.
  const [held, setHeld] = useState({ shape: '', height: MIN_BOARD_HEIGHT });
  const shape = `${width} ${drawing?.direction}`;
  const wanted = drawing && size && !isFull ? boardHeight(drawing, size.width, top) : 0;
  if (wanted > 0 && (wanted > held.height || shape !== held.shape)) setHeld({ shape, height: wanted });

  const shown = useRef<ReadonlySet<string>>(new Set());
  useLayoutEffect(() => {
    place.current?.replaceChildren(...(drawing ? [drawing.svg] : []));
    const parts = partsOf(drawing);
    for (const part of parts) {
      if (!shown.current.has(nameOf(part))) part.classList.add('is-new');
    }
    shown.current = new Set(parts.map(nameOf));
  }, [drawing]);
  useLayoutEffect(() => {
    for (const part of partsOf(drawing)) part.classList.toggle('is-newest', nameOf(part) === newest);
  }, [drawing, newest]);
  useLayoutEffect(() => {
    drawing?.svg.setAttribute('aria-label', label);
  }, [drawing, label]);

  return (
    <figure
      className="diagram-board"
      ref={board}
      aria-label="Board. Plus and minus zoom, 0 fits, F fills the screen, arrow keys move"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- keys move and zoom it
      tabIndex={0}
      data-touch={touch}
      data-full={isFull}
      data-dragged={isDragged}
      style={{ height: held.height }}
      {...handlers}
      onPointerCancel={handlers.onPointerUp}
    >
      <div
        className="diagram-view"
        ref={place}
        style={view && { transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
      />
      {arriving && (
        <p className="diagram-arriving" {...writingOf(arriving)} aria-hidden="true">
          <span>{arriving}</span>
        </p>
      )}
      <div className="diagram-zoom" ref={buttons}>
        <button type="button" aria-label="Zoom out" onClick={() => zoomBy(1 / ZOOM_STEP)}>
          −
        </button>
        <button type="button" onClick={fit}>
          Fit
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => zoomBy(ZOOM_STEP)}>
          +
        </button>
        <button type="button" aria-label="Full screen" aria-pressed={isFull} onClick={toggle}>
          <i className="diagram-corners" />
        </button>
      </div>
    </figure>
  );
}

function partsOf(drawing: DiagramDrawing | undefined): SVGElement[] {
  return [...(drawing?.svg.querySelectorAll<SVGElement>('[data-part]') ?? [])];
}

function nameOf(part: SVGElement): string {
  return part.dataset.part ?? '';
}
