/** The block's one live region: speaks at the borders of an answer, never of its text. */
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { AnnounceContext } from './announce';
import type { ShownStream } from './shownStream';

/** What was said stands so long, in ms: the same words can be said again. */
const STANDS_MS = 3000;

export interface AnnouncerProps {
  stream: ShownStream<unknown>;
  /** Says nothing of the stream while the composer is there. */
  isSilent: boolean;
  /** At a good end; default: counts the words. */
  endWords?: string;
  /** All that may `useAnnounce`. */
  children: ReactNode;
}

export function Announcer({ stream, isSilent, endWords, children }: AnnouncerProps) {
  const [said, setSaid] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const announce = useCallback((words: string) => {
    clearTimeout(timer.current);
    setSaid(words);
    timer.current = setTimeout(() => setSaid(''), STANDS_MS);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);

  // An answer that was whole when the page came is no news.
  const [hasRun, setHasRun] = useState(stream.isLoading);
  if (stream.isLoading && !hasRun) setHasRun(true);
  const words = isSilent || !hasRun ? '' : wordsOf(stream, endWords);
  return (
    <AnnounceContext value={announce}>
      {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- <output> is for a form's result */}
      <div role="status" aria-atomic="false" className="visually-hidden">
        <span>{words}</span> <span>{said}</span>
      </div>
      {children}
    </AnnounceContext>
  );
}

function wordsOf(stream: ShownStream<unknown>, endWords: string | undefined): string {
  if (stream.isLoading) {
    if (stream.status === 'reconnecting') return stream.lineProblem?.message ?? 'Connection lost, trying again';
    if (stream.status === 'submitted') return 'Asking';
    return stream.metrics.reconnects > 0 ? 'Connected again, generating' : 'Generating';
  }
  if (stream.isComplete) {
    const size = stream.text === '' ? '' : `, ${countWords(stream.text)}`;
    return endWords ?? `Answer complete${size}`;
  }
  return stream.finishReason === 'cancelled' ? 'Stopped' : '';
}

/** "1 word", "120 words". */
export function countWords(text: string): string {
  const count = text.trim() === '' ? 0 : text.trim().split(/\s+/u).length;
  return count === 1 ? '1 word' : `${count.toLocaleString('en')} words`;
}
