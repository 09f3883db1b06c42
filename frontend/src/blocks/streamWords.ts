/** What a block announces about its stream: changes of state, never the text of the answer. */
import { useState } from 'react';
import type { FinishReason } from '@liveai/client';
import { counted } from './counted';
import { inLineWords, useToldPlace } from './inLine';
import { lostWords } from './lostWords';
import type { ShownStream } from './shownStream';
import { type Connection, useSite } from './site';

/**
 * Returns the words for the stream's current state.
 *
 * @param endWords - announced when the answer is complete; default: the number of words.
 * @returns '' for an answer that was already complete when the page opened, because that is not
 *   news.
 */
export function useStreamWords(stream: ShownStream<unknown>, endWords: string | undefined): string {
  const [hasRun, setHasRun] = useState(stream.isLoading);
  if (stream.isLoading && !hasRun) setHasRun(true);
  const { connection } = useSite();
  const place = useToldPlace(stream.queuePlace);
  return hasRun ? wordsOf({ ...stream, queuePlace: place }, endWords, connection) : '';
}

function wordsOf(
  stream: ShownStream<unknown>,
  endWords: string | undefined,
  connection: Connection | undefined,
): string {
  if (stream.isLoading) {
    if (stream.status === 'reconnecting') return `${lostWords(stream, connection).replace(/\.$/u, '')}, trying again`;
    if (stream.queuePlace !== null) return inLineWords(stream.queuePlace);
    // Without the seconds, so that it is said once.
    if (stream.status === 'submitted') return stream.thinking?.isThinking ? 'Thinking' : 'Asking';
    return stream.metrics.reconnects > 0 ? 'Connected again, generating' : 'Generating';
  }
  const cutWords = stream.finishReason && CUT_WORDS[stream.finishReason];
  if (cutWords !== undefined) return cutWords;
  if (stream.isComplete) {
    const size = stream.text === '' ? '' : `, ${countWords(stream.text)}`;
    return endWords ?? `Answer complete${size}`;
  }
  return stream.finishReason === 'cancelled' ? 'Stopped' : '';
}

/** An answer that ended so is not called complete. */
const CUT_WORDS: Partial<Record<FinishReason, string>> = {
  length: 'This answer hit the length limit',
  repetition: 'The model began to repeat itself. The answer was stopped there.',
};

/** "1 word", "120 words". */
export function countWords(text: string): string {
  const count = text.trim() === '' ? 0 : text.trim().split(/\s+/u).length;
  return counted(count, 'word');
}
