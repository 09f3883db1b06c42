/** A formula, drawn as soon as KaTeX is loaded. */
import { memo, type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Formula, formulaOf } from './formulaSource';

type Draw = typeof import('./drawFormula').drawFormula;

let draw: Draw | undefined;

export interface FormulaViewProps {
  /** With its delimiters. */
  source: string;
  /** Shown in place of the source while there is no drawing. */
  children?: ReactNode;
}

/**
 * Shows a formula. While its end is missing, while KaTeX is loading, and where KaTeX rejects it,
 * its source is shown as it was written.
 */
export const FormulaView = memo(function FormulaView({ source, children }: FormulaViewProps) {
  const formula = formulaOf(source);
  const isReady = useKatex();
  const html = isReady && !formula.isOpen ? drawn(formula) : undefined;
  if (html === undefined) {
    return (
      children ?? (
        <code className="formula-source" dir="ltr">
          {source}
        </code>
      )
    );
  }
  return <Drawing key={source} html={html} isDisplay={formula.isDisplay} />;
});

function Drawing({ html, isDisplay }: { html: string; isDisplay: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  const isWide = useIsWide(place);
  const content = { dangerouslySetInnerHTML: { __html: html }, ref: place, dir: 'ltr' };
  if (!isDisplay && !isWide) return <span className="formula" {...content} />;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role -- it scrolls sideways, which must work by keyboard too
    <span className={`formula ${isDisplay ? 'formula-display' : 'formula-wide'}`} role="group" aria-label="Formula" tabIndex={0} {...content} />
  );
}

/** Whether a part of a formula, between two places where its line may break, is wider than the line. */
function useIsWide(place: RefObject<HTMLElement | null>): boolean {
  const [isWide, setWide] = useState(false);
  useLayoutEffect(() => {
    const block = blockAround(place.current);
    if (!block || typeof ResizeObserver === 'undefined') return undefined;
    const read = () => {
      const parts = [...(place.current?.querySelectorAll<HTMLElement>('.katex-base') ?? [])];
      setWide(parts.some(({ offsetWidth }) => offsetWidth > block.clientWidth));
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(block);
    return () => observer.disconnect();
  }, [place]);
  return isWide;
}

function blockAround(element: HTMLElement | null): HTMLElement | null {
  let block = element?.parentElement ?? null;
  while (block && getComputedStyle(block).display === 'inline') block = block.parentElement;
  return block;
}

function useKatex(): boolean {
  const [isReady, setReady] = useState(draw !== undefined);
  useEffect(() => {
    if (isReady) return undefined;
    let isCurrent = true;
    import('./drawFormula')
      .then((loaded) => {
        draw = loaded.drawFormula;
        if (isCurrent) setReady(true);
      })
      .catch(() => undefined); // its source is readable too
    return () => {
      isCurrent = false;
    };
  }, [isReady]);
  return isReady;
}

function drawn(formula: Formula): string | undefined {
  try {
    return draw?.(formula);
  } catch {
    return undefined;
  }
}
