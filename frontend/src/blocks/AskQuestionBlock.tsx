/** Answers a question, in markdown. */
import { TextBlock } from './TextBlock';
import type { BlockProps } from './types';

export function AskQuestionBlock(props: BlockProps) {
  return <TextBlock {...props} />;
}
