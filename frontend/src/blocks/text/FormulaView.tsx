/** A formula, drawn as soon as KaTeX is loaded. */
import { memo, type ReactNode, useEffect, useState } from 'react';
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
  const content = { dangerouslySetInnerHTML: { __html: html } };
  if (!formula.isDisplay) return <span className="formula" dir="ltr" {...content} />;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role -- it scrolls sideways, which must work by keyboard too
    <span className="formula formula-display" dir="ltr" role="group" aria-label="Formula" tabIndex={0} {...content} />
  );
});

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
