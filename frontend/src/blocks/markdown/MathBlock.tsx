/** A fence of `math`, as GitHub has it: a formula once it is closed. */
import { useIsCodeFenceIncomplete } from 'streamdown';
import { formulaOf } from '../text/formulaSource';
import { FormulaView } from '../text/FormulaView';
import { CodeBlock, type CodeBlockProps } from './CodeBlock';

export function MathBlock({ code }: Pick<CodeBlockProps, 'code'>) {
  const isOpen = useIsCodeFenceIncomplete();
  const block = <CodeBlock code={code} language="math" />;
  if (isOpen) return block;
  const text = code.trim();
  // Some models write delimiters inside the fence too.
  const source = formulaOf(text).isDisplay ? text : `$$\n${text}\n$$`;
  return <FormulaView source={source}>{block}</FormulaView>;
}
