/** Notes about an answer that ended early, or that lacks something. */
import type { ReactNode } from 'react';
import { isBeginningGone } from './earlier';
import type { ShownStream } from './shownStream';

export interface EndNoteProps {
  stream: ShownStream<unknown>;
  hasContent: boolean;
  /** The block's own words, such as about questions that were left out. */
  children?: ReactNode;
}

export function EndNote({ stream, hasContent, children }: EndNoteProps) {
  return (
    <>
      {hasContent && stream.finishReason === 'cancelled' && (
        <p className="note">
          <b>Stopped before it was finished.</b>
        </p>
      )}
      {!stream.isLoading && children && <p className="note">{children}</p>}
      {isBeginningGone(stream.continues, stream.earlier) && (
        <p className="note">The beginning of this answer was deleted.</p>
      )}
    </>
  );
}
