/** Derives a stream's state from its events. Pure; the server's reducer behaves identically. */
import type { CompleteEvent, Item, RunStatus, StreamEvent, TerminalEvent } from './events';
import { isTerminal } from './events';

/** The model's reasoning before it writes. It is no part of the answer, and no server keeps it. */
export interface Thinking {
  /** Whether the model still reasons; false once it writes, or once the stream has ended. */
  readonly isThinking: boolean;
  /** How long it has reasoned, in ms, as of the last report. There is about one report a second. */
  readonly sinceMs: number;
}

/** The state after a stream's events so far. Never mutated. */
export interface StreamState {
  readonly streamId: string | undefined;
  readonly blockType: string | undefined;
  readonly model: string | undefined;
  /** The name of the sample answer that is replayed; undefined if a model answers. */
  readonly sample: string | undefined;
  readonly createdAt: string | undefined;
  /** The id of the stream whose answer this one continues. */
  readonly continues: string | undefined;
  readonly status: RunStatus;
  /** The last sequence number received, or -1. It is the cursor to resume from. */
  readonly lastSeq: number;
  readonly text: string;
  /** Complete and valid parts, in order of arrival. */
  readonly items: readonly Item[];
  /** The incomplete strings of the part being received, by path. */
  readonly arriving: Readonly<Record<string, string>>;
  readonly terminal: TerminalEvent | undefined;
  /** Undefined if no reasoning was seen, and after a `reset`. */
  readonly thinking: Thinking | undefined;
  /** The place in line while the stream waits for a place on a full server, 1 = next; else null. */
  readonly queuePlace: number | null;
}

export const EMPTY: StreamState = {
  streamId: undefined,
  blockType: undefined,
  model: undefined,
  sample: undefined,
  createdAt: undefined,
  continues: undefined,
  status: 'queued',
  lastSeq: -1,
  text: '',
  items: [],
  arriving: {},
  terminal: undefined,
  thinking: undefined,
  queuePlace: null,
};

/**
 * The outcome of an event.
 * `applied`: the state now includes it. `ignored`: it is a duplicate, or follows the terminal
 * event. `gap`: earlier events are missing, so the stream must be resumed from `lastSeq`.
 */
export type Outcome = 'applied' | 'ignored' | 'gap';

/** Applies the next event. */
export function reduce(state: StreamState, event: StreamEvent): [StreamState, Outcome] {
  switch (event.type) {
    case 'start': {
      const head = {
        streamId: event.stream_id,
        blockType: event.block_type,
        model: event.model,
        sample: event.sample,
        createdAt: event.created_at,
        continues: event.continues ?? undefined,
      };
      // With `after` -1 the stream is replayed from the beginning. State of another stream is void
      // as well.
      const isRestart = event.after === -1 || state.streamId !== event.stream_id;
      // A line that was lost before the first word voids nothing, so the model goes on thinking.
      const isSame = state.streamId === event.stream_id && state.lastSeq === -1;
      const base = isRestart ? { ...EMPTY, thinking: isSame ? state.thinking : undefined } : state;
      // Nor does the stream lose its place in line, as long as it waits.
      const queuePlace = isSame && event.status === 'queued' ? state.queuePlace : null;
      return [{ ...base, ...head, queuePlace, status: startStatus(state, event.status, isRestart) }, 'applied'];
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
          thinking: thoughtOf(state),
          queuePlace: null,
        },
        'applied',
      ];
    case 'thinking':
      if (state.terminal) return [state, 'ignored'];
      return [{ ...state, thinking: { isThinking: true, sinceMs: event.since_ms }, queuePlace: null }, 'applied'];
    case 'queue':
      if (state.terminal) return [state, 'ignored'];
      return [{ ...state, queuePlace: event.place }, 'applied'];
    case 'reconnect':
      return [state, 'ignored'];
    default:
      return logged(state, event);
  }
}

function startStatus(state: StreamState, said: RunStatus, isRestart: boolean): RunStatus {
  return isRestart || !state.terminal ? said : state.status;
}

type Logged = Exclude<StreamEvent, { type: 'start' | 'snapshot' | 'thinking' | 'queue' | 'reconnect' }>;

function logged(state: StreamState, event: Logged): [StreamState, Outcome] {
  if (state.terminal || event.seq <= state.lastSeq) {
    const isHalfNew =
      !state.terminal && event.type === 'chunk' && event.first_seq !== undefined && event.seq > state.lastSeq;
    return [state, isHalfNew ? 'gap' : 'ignored'];
  }
  const first = event.type === 'chunk' ? (event.first_seq ?? event.seq) : event.seq;
  if (first !== state.lastSeq + 1) return [state, 'gap'];
  const next = {
    ...state,
    lastSeq: event.seq,
    status: 'running' as RunStatus,
    thinking: thoughtOf(state),
    queuePlace: null,
  };
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
      return [{ ...next, text: '', items: [], arriving: {}, thinking: undefined }, 'applied'];
    default:
      return [{ ...next, status: event.type, arriving: {}, terminal: event }, 'applied'];
  }
}

/** The reasoning once something else has come; the same object if it had ended before. */
function thoughtOf({ thinking }: StreamState): Thinking | undefined {
  return thinking?.isThinking ? { ...thinking, isThinking: false } : thinking;
}

/** Returns the `complete` event; undefined while the stream runs and after any other end. */
export function completionOf(state: StreamState): CompleteEvent | undefined {
  return state.terminal?.type === 'complete' ? state.terminal : undefined;
}

export { isTerminal };
