/** The buttons below an answer: Stop while it is written, the others once it has ended. */
import { type ReactNode, useEffect, useLayoutEffect, useRef } from 'react';
import { useAnnounce } from './announce';
import { Menu, type MenuItem } from './Menu';
import { isSameAgain } from './ProblemNote';
import { isUselessEarlier } from './later';
import type { ShownStream } from './shownStream';
import { useWhenWords } from './useSeconds';
import '../look/tools.css';

export interface ToolsProps {
  stream: ShownStream<unknown>;
  onStop(): void;
  /** Asks for what failed again; undefined if the original prompt is unknown. */
  onRetry: (() => void) | undefined;
  /** Asks for a new answer to the same prompt; undefined if the prompt is unknown. */
  onAgain: (() => void) | undefined;
  onElse(): void;
  /** The button that asks for what the answer lacks: "Continue". */
  more?: { words: string; onMore(): void };
  /** Brings the end of the growing answer into view; undefined if it is in view. */
  onJump?: () => void;
  copies: readonly MenuItem[];
  downloads: readonly MenuItem[];
  /** The menu of actions for the answer as a whole. */
  menu?: ReactNode;
  children?: ReactNode;
}

export function Tools(props: ToolsProps) {
  const { stream, more } = props;
  const { isLoading } = stream;
  const group = useRef<HTMLDivElement>(null);
  const wasInside = useRef(false);
  useLayoutEffect(() => {
    // The focused button may have disappeared. Keep the focus here instead of losing it to the page.
    if (wasInside.current && document.activeElement === document.body) group.current?.focus({ preventScroll: true });
  });

  return (
    // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role, jsx-a11y/no-noninteractive-element-interactions -- not a <fieldset>: there is nothing to fill in; it watches its buttons
    <div className="tools" role="group" aria-label="Tools for this answer" ref={group} tabIndex={-1} onFocus={() => (wasInside.current = true)} onBlur={() => (wasInside.current = false)}>
      {isLoading && (
        <button type="button" className="button button-stop" aria-keyshortcuts="Escape" onClick={props.onStop}>
          {stream.isStopping ? 'Stopping' : 'Stop'} <kbd aria-hidden="true">Esc</kbd>
        </button>
      )}
      {isLoading && stream.status === 'reconnecting' && !(stream.lineProblem && isUselessEarlier(stream.lineProblem)) && (
        <button type="button" className="button" onClick={() => stream.reconnectNow()}>
          Try now
        </button>
      )}
      {isLoading && props.onJump && (
        <button type="button" className="button" onClick={props.onJump}>
          Jump to latest
        </button>
      )}
      {!isLoading && more && (
        <button type="button" className="button button-strong" onClick={more.onMore}>
          {more.words}
        </button>
      )}
      {!isLoading && <Retry stream={stream} onAgain={props.onRetry} />}
      <Menu label="Copy" items={props.copies} />
      {!isLoading && <Menu label="Download" items={props.downloads} />}
      {props.children}
      {!isLoading && props.onAgain && (
        <button type="button" className="button" onClick={props.onAgain}>
          Regenerate
        </button>
      )}
      {!isLoading && (
        <button type="button" className="button" onClick={props.onElse}>
          Ask something else
        </button>
      )}
      {props.menu}
    </div>
  );
}

function Retry({ stream, onAgain }: Pick<ToolsProps, 'stream' | 'onAgain'>) {
  const { error } = stream;
  const again = isSameAgain(stream) ? () => void stream.resume() : onAgain;
  if (!error?.isRetryable || again === undefined) return null;
  if (stream.retryAt !== null && isUselessEarlier(error)) return <LaterButton until={stream.retryAt} onAgain={again} />;
  return (
    <button type="button" className="button button-strong" onClick={again}>
      Try again
    </button>
  );
}

/** Not `disabled`, so that it keeps the focus and can be read while it counts. */
function LaterButton({ until, onAgain }: { until: number; onAgain: () => void }) {
  const announce = useAnnounce();
  const when = useWhenWords(until);
  const isEarly = when !== undefined;
  const wasEarly = useRef(isEarly);
  useEffect(() => {
    if (wasEarly.current && !isEarly) announce('You can try again now');
    wasEarly.current = isEarly;
  }, [isEarly, announce]);
  return (
    <button
      type="button"
      className="button button-strong"
      aria-disabled={isEarly}
      onClick={() => isEarly || onAgain()}
    >
      {isEarly ? `Try again ${when}` : 'Try again'}
    </button>
  );
}
