/** The line beside an answer. Its head shows where the model is writing. */
import type { ReactNode } from 'react';
import type { ShownStream } from './shownStream';
import '../look/wire.css';

/**
 * `waiting`: submitted, nothing received yet. `lost`: the connection is lost; the answer may
 * continue.
 */
export type WireState = 'waiting' | 'live' | 'lost' | 'failed' | 'ended' | 'stopped';

export interface WireProps {
  state: WireState;
  children: ReactNode;
}

export function Wire({ state, children }: WireProps) {
  return (
    <div className="wire" data-state={state}>
      {children}
      <i className="wire-head" aria-hidden="true" />
    </div>
  );
}

/** The head without the line, for lists. Put the state in words next to it. */
export function WireMark({ state }: { state: WireState }) {
  return <i className="wire-mark" data-state={state} aria-hidden="true" />;
}

export function wireStateOf(
  stream: Pick<ShownStream<unknown>, 'status' | 'isLoading' | 'error' | 'finishReason'>,
  hasContent: boolean,
): WireState {
  if (stream.isLoading) {
    if (stream.status === 'reconnecting') return 'lost';
    return hasContent ? 'live' : 'waiting';
  }
  if (stream.error !== undefined || stream.finishReason === 'error') return 'failed';
  return stream.finishReason === 'cancelled' ? 'stopped' : 'ended';
}
