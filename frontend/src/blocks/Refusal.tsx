/** A model that declines. Its own words are shown as what they are, and not as a failure. */
import type { StreamProblem } from '@liveai/client';
import type { ShownStream } from './shownStream';

export interface RefusalProps {
  words: string;
  /** Whether part of the answer came before. */
  hasContent?: boolean;
  className?: string;
}

export function Refusal({ words, hasContent, className }: RefusalProps) {
  return (
    <div className={`refusal ${className ?? ''}`} role="alert">
      <p>
        <b>{DECLINED}</b> {hasContent && 'What was written is kept.'}
      </p>
      {words.trim() !== DECLINED && (
        <p className="refusal-words" dir="auto">
          {words}
        </p>
      )}
    </div>
  );
}

/** Also the server's message if the model gave no words. */
const DECLINED = 'The model declined to answer.';

export function isRefusal<S extends Pick<ShownStream<unknown>, 'error'>>(
  stream: S,
): stream is S & { error: StreamProblem } {
  return stream.error?.code === 'refused';
}
