/** A flowchart that a model wrote as Mermaid text, drawn, with its text below on request. */
import { type CSSProperties, type ReactNode, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { writingOf } from '../text/writing';
import { type Flowchart, flowchartOf } from './flowchart';
import { flowchartSource } from './flowchartSource';
import { LEGIBLE_SCALE } from './legible';
import { drawLazily, useDrawing } from './useDrawing';
import '../../look/flowchart.css';

export interface FlowchartFigureProps {
  /** Mermaid text; treated as hostile. */
  source: string;
  /** The text as a block of code. Shown alone unless there is a drawing. */
  children: ReactNode;
}

export function FlowchartFigure({ source, children }: FlowchartFigureProps) {
  const chart = useMemo(() => flowchartOf(source), [source]);
  const safe = useMemo(() => chart && flowchartSource(chart), [chart]);
  const { drawing } = useDrawing(safe, false, drawLazily);
  const [isCode, setCode] = useState(false);
  const id = useId();
  const place = useRef<HTMLDivElement>(null);
  const svg = drawing?.svg;
  useLayoutEffect(() => place.current?.replaceChildren(...(svg ? [svg] : [])), [svg]);
  useLayoutEffect(() => {
    if (chart) svg?.setAttribute('aria-label', wordsFor(chart));
  }, [svg, chart]);
  if (!chart || !drawing) return children;
  const leastWidth = { '--least-width': `${drawing.width * LEGIBLE_SCALE}px` } as CSSProperties;
  return (
    <>
      <figure className="flowchart" data-caret-stop="">
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role -- it scrolls sideways, which must work by keyboard too */}
        <div className="flowchart-view" style={leastWidth} ref={place} tabIndex={0} role="group" aria-label="Diagram" lang={writingOf(chart.nodes.map(({ label }) => label).join(' ')).lang} />
        <figcaption>
          {chart.title && <span {...writingOf(chart.title)}>{chart.title}</span>}
          <button type="button" className="button-link" aria-expanded={isCode} aria-controls={id} onClick={() => setCode(!isCode)}>
            {isCode ? 'Hide code' : 'Show code'}
          </button>
        </figcaption>
      </figure>
      <div id={id} hidden={!isCode}>
        {children}
      </div>
    </>
  );
}

/** What the drawing says, for people who cannot see it; in characters. */
const WORDS_AT_MOST = 2_000;

function wordsFor({ nodes, links, groups }: Flowchart): string {
  const labels = new Map([...nodes, ...groups].map(({ id, label }) => [id, label]));
  const linked = new Set(links.flatMap(({ from, to }) => [from, to]));
  const lines = links
    .filter(({ line }) => line !== 'invisible')
    .map(({ from, to, label }) => `${labels.get(from)} leads to ${labels.get(to)}${label && ` (${label})`}`);
  const alone = nodes.filter(({ id }) => !linked.has(id)).map(({ label }) => label);
  return [...lines, ...alone].join('; ').slice(0, WORDS_AT_MOST);
}
