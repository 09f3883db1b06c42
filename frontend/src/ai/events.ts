/**
 * The events of a stream, and how a line of JSON becomes one.
 *
 * Source: specs/050-live-ai-interaction/spec.md, "Events"; contracts/stream-schema.yaml.
 */
import * as z from 'zod/mini';

const stream_id = z.string();
const seq = z.int();
const status = z.enum(['queued', 'running', 'complete', 'error', 'cancelled']);
const item = z.object({ path: z.string(), value: z.unknown() });

const start = z.object({
  type: z.literal('start'),
  stream_id,
  block_type: z.string(),
  model: z.string(),
  status,
  after: seq,
  created_at: z.string(),
  request_id: z.nullable(z.string()),
  ref: z.optional(z.string()),
});
const chunk = z.object({
  type: z.literal('chunk'),
  stream_id,
  seq,
  first_seq: z.optional(seq),
  path: z.optional(z.string()),
  token: z.string(),
});
const itemEvent = z.object({
  type: z.literal('item'),
  stream_id,
  seq,
  path: z.string(),
  value: z.unknown(),
});
const reset = z.object({ type: z.literal('reset'), stream_id, seq, reason: z.string() });
const snapshot = z.object({
  type: z.literal('snapshot'),
  stream_id,
  seq,
  status,
  text: z.string(),
  items: z.array(item),
  arriving: z.record(z.string(), z.string()),
});
const complete = z.object({
  type: z.literal('complete'),
  stream_id,
  seq,
  finish_reason: z.enum(['stop', 'length']),
  usage: z.object({ input_tokens: z.int(), output_tokens: z.int() }),
  ttft_ms: z.nullable(z.int()),
  duration_ms: z.int(),
  result: z.optional(z.record(z.string(), z.unknown())),
  dropped: z.optional(z.record(z.string(), z.int())),
});
const error = z.object({
  type: z.literal('error'),
  stream_id,
  seq,
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
});
const cancelled = z.object({ type: z.literal('cancelled'), stream_id, seq, by: z.string() });
const reconnect = z.object({
  type: z.literal('reconnect'),
  stream_id: z.optional(z.string()),
  retry_ms: z.int(),
});

const streamEvent = z.discriminatedUnion('type', [
  start,
  chunk,
  itemEvent,
  reset,
  snapshot,
  complete,
  error,
  cancelled,
  reconnect,
]);

export type StartEvent = z.infer<typeof start>;
export type ChunkEvent = z.infer<typeof chunk>;
export type ItemEvent = z.infer<typeof itemEvent>;
export type ResetEvent = z.infer<typeof reset>;
export type SnapshotEvent = z.infer<typeof snapshot>;
export type CompleteEvent = z.infer<typeof complete>;
export type ErrorEvent = z.infer<typeof error>;
export type CancelledEvent = z.infer<typeof cancelled>;
export type ReconnectEvent = z.infer<typeof reconnect>;
export type TerminalEvent = CompleteEvent | ErrorEvent | CancelledEvent;
export type StreamEvent = z.infer<typeof streamEvent>;
export type RunStatus = z.infer<typeof status>;
export type Item = z.infer<typeof item>;

/** The event that a decoded JSON value is; undefined for anything else, e.g. a kind to come. */
export function eventFromJson(value: unknown): StreamEvent | undefined {
  const parsed = streamEvent.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** The event that a line of JSON is; undefined for anything else. */
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
