/** A block whose answer is markdown. */
import { useEffect } from 'react';
import { useAIBlockStreaming } from '../ai';
import { BlockShell } from './BlockShell';
import { Markdown, preloadMarkdown } from './markdown/Markdown';
import { type AnswerParts, useShownStream } from './shownStream';
import type { BlockProps } from './types';

export interface TextBlockProps extends BlockProps {
  /** See `BlockShell`. */
  waitingWords?: string;
}

export function TextBlock(props: TextBlockProps) {
  const stream = useShownStream(useAIBlockStreaming(props.block.slug), props.stream, textOf);
  useEffect(preloadMarkdown, []);
  return (
    <BlockShell {...props} stream={stream}>
      <Markdown text={stream.data} isWriting={stream.isLoading} />
    </BlockShell>
  );
}

function textOf({ text }: AnswerParts): string {
  return text;
}
