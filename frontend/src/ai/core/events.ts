/**
 * The events of a stream, and how they are decoded from JSON.
 *
 * Source: specs/050-live-ai-interaction/spec.md, "Events"; contracts/stream-schema.yaml.
 */
import type { Check } from './shape';
import {
  isAnything,
  isBoolean,
  isInt,
  isString,
  listOf,
  nullable,
  oneOf,
  optional,
  recordOf,
  shaped,
} from './shape';

const isStatus = oneOf('queued', 'running', 'complete', 'error', 'cancelled');
const isItem = shaped({ path: isString, value: isAnything });
const logged = { stream_id: isString, seq: isInt };

const isStart = shaped({
  type: oneOf('start'),
  stream_id: isString,
  block_type: isString,
  model: isString,
  status: isStatus,
  after: isInt,
  created_at: isString,
  request_id: nullable(isString),
  continues: optional(nullable(isString)), // a server before this field sends none
  sample: optional(isString),
  ref: optional(isString),
});
const isChunk = shaped({
  type: oneOf('chunk'),
  ...logged,
  first_seq: optional(isInt),
  path: optional(isString),
  token: isString,
});
const isItemEvent = shaped({
  type: oneOf('item'),
  ...logged,
  path: isString,
  value: isAnything,
});
const isReset = shaped({ type: oneOf('reset'), ...logged, reason: isString });
const isSnapshot = shaped({
  type: oneOf('snapshot'),
  ...logged,
  status: isStatus,
  text: isString,
  items: listOf(isItem),
  arriving: recordOf(isString),
});
const isComplete = shaped({
  type: oneOf('complete'),
  ...logged,
  finish_reason: oneOf('stop', 'length', 'repetition'),
  usage: shaped({
    input_tokens: isInt,
    output_tokens: isInt,
    estimated: optional(isBoolean),
  }),
  ttft_ms: nullable(isInt),
  duration_ms: isInt,
  result: optional(recordOf(isAnything)),
  dropped: optional(recordOf(isInt)),
});
const isError = shaped({
  type: oneOf('error'),
  ...logged,
  code: isString,
  message: isString,
  retryable: isBoolean,
});
const isCancelled = shaped({ type: oneOf('cancelled'), ...logged, by: isString });
const isThinking = shaped({ type: oneOf('thinking'), stream_id: isString, since_ms: isInt });
const isQueue = shaped({ type: oneOf('queue'), stream_id: isString, place: isInt });
const isReconnect = shaped({
  type: oneOf('reconnect'),
  stream_id: optional(isString),
  retry_ms: isInt,
});

type Of<C> = C extends Check<infer T> ? T : never;
export type StartEvent = Of<typeof isStart>;
export type ChunkEvent = Of<typeof isChunk>;
export type ItemEvent = Of<typeof isItemEvent>;
export type ResetEvent = Of<typeof isReset>;
export type SnapshotEvent = Of<typeof isSnapshot>;
export type CompleteEvent = Of<typeof isComplete>;
export type ErrorEvent = Of<typeof isError>;
export type CancelledEvent = Of<typeof isCancelled>;
export type ThinkingEvent = Of<typeof isThinking>;
export type QueueEvent = Of<typeof isQueue>;
export type ReconnectEvent = Of<typeof isReconnect>;
export type TerminalEvent = CompleteEvent | ErrorEvent | CancelledEvent;
export type StreamEvent =
  | StartEvent
  | ChunkEvent
  | ItemEvent
  | ResetEvent
  | SnapshotEvent
  | TerminalEvent
  | ThinkingEvent
  | QueueEvent
  | ReconnectEvent;
export type RunStatus = Of<typeof isStatus>;
export type Item = Of<typeof isItem>;

const checks: Record<string, Check<StreamEvent>> = {
  start: isStart,
  chunk: isChunk,
  item: isItemEvent,
  reset: isReset,
  snapshot: isSnapshot,
  complete: isComplete,
  error: isError,
  cancelled: isCancelled,
  thinking: isThinking,
  queue: isQueue,
  reconnect: isReconnect,
};

/**
 * Decodes a JSON value into an event. Returns undefined for anything else, such as a future event
 * type.
 */
export function eventFromJson(value: unknown): StreamEvent | undefined {
  const type = (value as { type?: unknown } | null)?.type;
  const check = typeof type === 'string' && Object.hasOwn(checks, type) ? checks[type] : undefined;
  return check?.(value) ? value : undefined;
}

/** Decodes one line of JSON into an event. Returns undefined for anything else. */
export function eventFromText(text: string): StreamEvent | undefined {
  try {
    return eventFromJson(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function isTerminal(event: StreamEvent): event is TerminalEvent {
  return event.type === 'complete' || event.type === 'error' || event.type === 'cancelled';
}
