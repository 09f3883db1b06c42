/** The buttons below an answer: Stop while it is written, the others once it has ended. */
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';
import type { StreamProblem } from '../ai';
import { CopyButton } from './CopyButton';
import { isSameAgain } from './ProblemNote';
import type { ShownStream } from './shownStream';
import { useSecondsUntil } from './useSeconds';
import '../look/tools.css';

export interface ToolsProps {
  stream: ShownStream<unknown>;
  onStop(): void;
  /** Asks the same again; undefined if the original prompt is unknown. */
  onAgain: (() => void) | undefined;
  onElse(): void;
  /** '' if there is nothing to copy. */
  copyText: string;
  copyLabel?: string;
  children?: ReactNode;
}

export function Tools(props: ToolsProps) {
  const { stream } = props;
  const { isLoading } = stream;
  const group = useRef<HTMLDivElement>(null);
  const isAtStop = useRef(false);
  useLayoutEffect(() => {
    // Stop disappears when the answer ends. Keep the focus here instead of losing it to the page.
    if (!isLoading && isAtStop.current && document.activeElement === document.body) {
      group.current?.focus({ preventScroll: true });
    }
    isAtStop.current = false;
  }, [isLoading]);

  return (
    // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- not a <fieldset>: there is nothing to fill in
    <div className="tools" role="group" aria-label="Tools for this answer" ref={group} tabIndex={-1}>
      {isLoading && stream.status === 'reconnecting' && (
        <button type="button" className="button" onClick={() => stream.reconnectNow()}>
          Try now
        </button>
      )}
      {isLoading && (
        <button
          type="button"
          className="button button-stop"
          aria-keyshortcuts="Escape"
          onFocus={() => (isAtStop.current = true)}
          onBlur={() => (isAtStop.current = false)}
          onClick={props.onStop}
        >
          {stream.isStopping ? 'Stopping' : 'Stop'} <kbd aria-hidden="true">Esc</kbd>
        </button>
      )}
      {!isLoading && <Retry stream={stream} onAgain={props.onAgain} />}
      {!isLoading && props.copyText !== '' && (
        <CopyButton text={props.copyText}>{props.copyLabel ?? 'Copy'}</CopyButton>
      )}
      {props.children}
      {!isLoading && props.onAgain && !stream.error?.isRetryable && (
        <button type="button" className="button" onClick={props.onAgain}>
          Regenerate
        </button>
      )}
      {!isLoading && (
        <button type="button" className="button" onClick={props.onElse}>
          Ask something else
        </button>
      )}
    </div>
  );
}

function Retry({ stream, onAgain }: Pick<ToolsProps, 'stream' | 'onAgain'>) {
  const { error } = stream;
  const again = isSameAgain(stream) ? () => void stream.resume() : onAgain;
  if (!error?.isRetryable || again === undefined) return null;
  return <RetryButton error={error} onAgain={again} />;
}

function RetryButton({ error, onAgain }: { error: StreamProblem; onAgain: () => void }) {
  const [dueAt] = useState(() => Date.now() + (error.retryAfterMs ?? 0));
  const seconds = useSecondsUntil(dueAt);
  const isEarly = error.retryAfterMs !== undefined && seconds > 0;
  return (
    <button
      type="button"
      className="button button-strong"
      aria-disabled={isEarly}
      onClick={() => isEarly || onAgain()}
    >
      {isEarly ? `Try again in ${seconds} s` : 'Try again'}
    </button>
  );
}
