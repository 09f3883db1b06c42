/** A formula, drawn as soon as KaTeX is loaded. */
import { memo, useEffect, useState } from 'react';
import { formulaOf } from './formulaSource';

type Draw = typeof import('./drawFormula').drawFormula;

let draw: Draw | undefined;

export interface FormulaViewProps {
  /** With its delimiters. */
  source: string;
}

/**
 * Shows a formula. While its end is missing, while KaTeX is loading, and where KaTeX rejects it,
 * its source is shown as it was written.
 */
export const FormulaView = memo(function FormulaView({ source }: FormulaViewProps) {
  const { tex, isDisplay, isOpen } = formulaOf(source);
  const isReady = useKatex();
  const html = isReady && !isOpen ? drawn(tex, isDisplay) : undefined;
  if (html === undefined) {
    return (
      <code className="formula-source" dir="ltr">
        {source}
      </code>
    );
  }
  return (
    // oxlint-disable-next-line react/no-danger -- sanitised in drawFormula.ts
    <span className={isDisplay ? 'formula formula-display' : 'formula'} dir="ltr" dangerouslySetInnerHTML={{ __html: html }} />
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

function drawn(tex: string, isDisplay: boolean): string | undefined {
  try {
    return draw?.(tex, isDisplay);
  } catch {
    return undefined;
  }
}
