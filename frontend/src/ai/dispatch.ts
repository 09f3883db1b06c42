/** Delivers events to listeners, each type to its own callback. */
import type { ErrorEvent, StreamEvent } from './core/events';
import type { StreamHandlers, StreamProblem } from './types';

/** Calls every listener's callbacks for an event. */
export function dispatch(event: StreamEvent, listeners: Iterable<StreamHandlers>): void {
  for (const each of [...listeners]) {
    safely(() => each.onEvent?.(event));
    safely(() => callHandler(event, each));
  }
}

function callHandler(event: StreamEvent, each: StreamHandlers): void {
  switch (event.type) {
    case 'start':
      return each.onStart?.(event);
    case 'chunk':
      return each.onChunk?.(event);
    case 'item':
      return each.onItem?.(event);
    case 'reset':
      return each.onReset?.(event);
    case 'snapshot':
      return each.onSnapshot?.(event);
    case 'complete':
      return each.onComplete?.(event);
    case 'error':
      return each.onError?.(problemOfEnd(event), event);
    case 'cancelled':
      return each.onCancelled?.(event);
    case 'thinking':
      return each.onThinking?.(event);
    case 'queue':
      return each.onQueue?.(event);
    case 'reconnect':
      return undefined;
  }
}

export function problemOfEnd(event: ErrorEvent): StreamProblem {
  return { code: event.code, message: event.message, isRetryable: event.retryable };
}

/** Runs a caller's callback. If it throws, the error is reported, and the stream continues. */
export function safely(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
