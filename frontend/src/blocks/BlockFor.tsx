/**
 * Picks the component for a block: by name for the built-in markdown blocks, otherwise by output.
 */
import type { ComponentType } from 'react';
import type { OutputName } from '@liveai/client';
import { AskQuestionBlock } from './AskQuestionBlock';
import { DiagramBlock } from './DiagramBlock';
import { ExplainELI10Block } from './ExplainELI10Block';
import { GenericBlock } from './GenericBlock';
import { QuizBlock } from './QuizBlock';
import type { BlockProps } from './types';

const BY_SLUG: Readonly<Record<string, ComponentType<BlockProps>>> = {
  'ask-question': AskQuestionBlock,
  'explain-eli10': ExplainELI10Block,
};
const BY_OUTPUT: Readonly<Record<OutputName, ComponentType<BlockProps>>> = {
  markdown: GenericBlock,
  quiz: QuizBlock,
  diagram: DiagramBlock,
  json: GenericBlock,
};

export function BlockFor(props: BlockProps) {
  const { slug, output } = props.block;
  // An admin may have changed the output of a known block; the output decides what can be rendered.
  const Block = (output === 'markdown' ? BY_SLUG[slug] : undefined) ?? BY_OUTPUT[output] ?? GenericBlock;
  return <Block {...props} />;
}
