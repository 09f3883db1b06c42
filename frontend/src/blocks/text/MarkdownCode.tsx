/** Code within a line, which may be a formula. */
import type { ReactNode } from 'react';
import { FormulaView } from './FormulaView';
import { isFormulaClass } from './formulaNodes';

export interface MarkdownCodeProps {
  className?: string;
  children?: ReactNode;
}

export function MarkdownCode({ className, children }: MarkdownCodeProps) {
  if (isFormulaClass(className)) return <FormulaView source={String(children)} />;
  return <code dir="ltr">{children}</code>;
}
