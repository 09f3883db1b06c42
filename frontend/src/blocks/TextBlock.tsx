/** A block whose answer is markdown. */
import { useEffect } from 'react';
import { useAIBlockStreaming } from '@liveai/client/react';
import { toCopy, toDownload } from './answerForms';
import { BlockShell } from './BlockShell';
import { isTextCut } from './continuable';
import type { EarlierAnswer } from './earlier';
import { Markdown, preloadMarkdown } from './markdown/Markdown';
import { withoutOwnHeading } from './ownTitle';
import { type AnswerParts, useShownStream } from './shownStream';
import { countWords } from './streamWords';
import type { BlockProps } from './types';

export interface TextBlockProps extends BlockProps {
  /** See `BlockShell`. */
  waitingWords?: string;
}

export function TextBlock(props: TextBlockProps) {
  const stream = useShownStream(useAIBlockStreaming(props.block.slug), props.stream, textOf, props.earlier);
  useEffect(preloadMarkdown, []);
  const { data: text, prompt = '', isLoading } = stream;
  const plain = async () => (await import('./markdown/plainMarkdown')).plainMarkdown(text);
  return (
    <BlockShell
      {...props}
      stream={stream}
      copies={[toCopy('Copy text', plain), toCopy('Copy Markdown', text)]}
      downloads={[toDownload('Download text', prompt, 'txt', plain), toDownload('Download Markdown', prompt, 'md', text)]}
      more={isTextCut(stream) ? 'Continue' : undefined}
      endWords={text === '' ? 'Answer complete' : `Answer complete, ${countWords(text)}`}
    >
      <Markdown text={withoutOwnHeading(text, prompt, isLoading)} isWriting={isLoading} />
    </BlockShell>
  );
}

function textOf({ text }: AnswerParts, earlier: readonly EarlierAnswer[]): string {
  return [...earlier, { text }].map((part) => part.text).join('');
}
