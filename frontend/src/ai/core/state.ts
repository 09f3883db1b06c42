/** State follows from events: pure, and the same as the server's. */
import type { CompleteEvent, Item, RunStatus, StreamEvent, TerminalEvent } from './events';
import { isTerminal } from './events';

/** What a stream's events add up to. Never changed in place. */
export interface StreamState {
  readonly streamId: string | undefined;
  readonly blockType: string | undefined;
  readonly model: string | undefined;
  readonly createdAt: string | undefined;
  readonly status: RunStatus;
  /** The last seq held; -1: nothing yet. It is the cursor to resume from. */
  readonly lastSeq: number;
  readonly text: string;
  /** Complete and valid parts, in the order in which they came. */
  readonly items: readonly Item[];
  /** The strings so far of the part that is arriving, by path. */
  readonly arriving: Readonly<Record<string, string>>;
  readonly terminal: TerminalEvent | undefined;
}

export const EMPTY: StreamState = {
  streamId: undefined,
  blockType: undefined,
  model: undefined,
  createdAt: undefined,
  status: 'queued',
  lastSeq: -1,
  text: '',
  items: [],
  arriving: {},
  terminal: undefined,
};

/**
 * What became of an event: it was taken in; it was held already, or follows the end; or something
 * before it is missing, so that the stream has to be resumed from `lastSeq`.
 */
export type Outcome = 'applied' | 'ignored' | 'gap';

/** Take in the next event. */
export function reduce(state: StreamState, event: StreamEvent): [StreamState, Outcome] {
  switch (event.type) {
    case 'start': {
      const head = {
        streamId: event.stream_id,
        blockType: event.block_type,
        model: event.model,
        createdAt: event.created_at,
      };
      // -1: from the beginning, whatever was held; and what is held of another stream is void.
      const isAnew = event.after === -1 || state.streamId !== event.stream_id;
      return [{ ...(isAnew ? EMPTY : state), ...head, status: startStatus(state, event.status, isAnew) }, 'applied'];
    }
    case 'snapshot':
      if (state.terminal) return [state, 'ignored'];
      return [
        {
          ...state,
          streamId: event.stream_id,
          lastSeq: event.seq,
          status: event.status,
          text: event.text,
          items: event.items,
          arriving: event.arriving,
        },
        'applied',
      ];
    case 'reconnect':
      return [state, 'ignored'];
    default:
      return logged(state, event);
  }
}

function startStatus(state: StreamState, said: RunStatus, isAnew: boolean): RunStatus {
  return isAnew || !state.terminal ? said : state.status;
}

type Logged = Exclude<StreamEvent, { type: 'start' | 'snapshot' | 'reconnect' }>;

function logged(state: StreamState, event: Logged): [StreamState, Outcome] {
  if (state.terminal || event.seq <= state.lastSeq) {
    const isHalfNew =
      !state.terminal && event.type === 'chunk' && event.first_seq !== undefined && event.seq > state.lastSeq;
    return [state, isHalfNew ? 'gap' : 'ignored'];
  }
  const first = event.type === 'chunk' ? (event.first_seq ?? event.seq) : event.seq;
  if (first !== state.lastSeq + 1) return [state, 'gap'];
  const next = { ...state, lastSeq: event.seq, status: 'running' as RunStatus };
  switch (event.type) {
    case 'chunk':
      if (event.path === undefined) return [{ ...next, text: state.text + event.token }, 'applied'];
      return [
        {
          ...next,
          arriving: {
            ...state.arriving,
            [event.path]: (state.arriving[event.path] ?? '') + event.token,
          },
        },
        'applied',
      ];
    case 'item': {
      const others = state.items.filter((item) => item.path !== event.path);
      const items =
        event.value === null ? others : [...others, { path: event.path, value: event.value }];
      return [{ ...next, items, arriving: {} }, 'applied'];
    }
    case 'reset':
      return [{ ...next, text: '', items: [], arriving: {} }, 'applied'];
    default:
      return [{ ...next, status: event.type, arriving: {}, terminal: event }, 'applied'];
  }
}

/** The end of an answer that is whole; undefined while it runs, and of any other end. */
export function completionOf(state: StreamState): CompleteEvent | undefined {
  return state.terminal?.type === 'complete' ? state.terminal : undefined;
}

export { isTerminal };
