/** Explains a subject to a ten-year-old, in markdown. */
import { TextBlock } from './TextBlock';
import type { BlockProps } from './types';

export function ExplainELI10Block(props: BlockProps) {
  return <TextBlock {...props} waitingWords="Looking for simple words" />;
}
