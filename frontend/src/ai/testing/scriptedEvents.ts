/** Events of one stream, as a server would send them. */
import type {
  CancelledEvent,
  ChunkEvent,
  CompleteEvent,
  ErrorEvent,
  Item,
  ItemEvent,
  QueueEvent,
  ReconnectEvent,
  ResetEvent,
  SnapshotEvent,
  StartEvent,
  StreamEvent,
  ThinkingEvent,
} from '../core/events';

export const STREAM = 'Zm9ydHktdHdvLXN0cmVhbQ';
export const OTHER_STREAM = 'YW5vdGhlci1vbmUtaGVyZQ';
const stream_id = STREAM;

export function started(extra: Partial<StartEvent> = {}): StartEvent {
  return {
    type: 'start',
    stream_id,
    block_type: 'ask-question',
    model: 'scripted',
    status: 'running',
    after: -1,
    created_at: '2026-01-01T00:00:00Z',
    request_id: null,
    continues: null,
    ...extra,
  };
}

export function chunk(seq: number, token: string, extra: Partial<ChunkEvent> = {}): ChunkEvent {
  return { type: 'chunk', stream_id, seq, token, ...extra };
}

/** Text chunks, one per word, starting at a sequence number. */
export function chunks(from: number, ...tokens: string[]): ChunkEvent[] {
  return tokens.map((token, index) => chunk(from + index, token));
}

export function item(seq: number, path: string, value: unknown): ItemEvent {
  return { type: 'item', stream_id, seq, path, value };
}

export function reset(seq: number, reason = 'retry'): ResetEvent {
  return { type: 'reset', stream_id, seq, reason };
}

export function snapshot(seq: number, text: string, items: Item[] = []): SnapshotEvent {
  return { type: 'snapshot', stream_id, seq, status: 'running', text, items, arriving: {} };
}

export function completed(seq: number, extra: Partial<CompleteEvent> = {}): CompleteEvent {
  return {
    type: 'complete',
    stream_id,
    seq,
    finish_reason: 'stop',
    usage: { input_tokens: 7, output_tokens: 100 },
    ttft_ms: 1000,
    duration_ms: 3000,
    ...extra,
  };
}

export function failed(seq: number, code = 'provider_unavailable', retryable = true): ErrorEvent {
  return { type: 'error', stream_id, seq, code, message: 'The model can’t be reached.', retryable };
}

export function cancelled(seq: number): CancelledEvent {
  return { type: 'cancelled', stream_id, seq, by: 'owner' };
}

export function thinking(since_ms: number): ThinkingEvent {
  return { type: 'thinking', stream_id, since_ms };
}

export function queued(place: number): QueueEvent {
  return { type: 'queue', stream_id, place };
}

export function goodbye(retry_ms: number): ReconnectEvent {
  return { type: 'reconnect', stream_id, retry_ms };
}

/** Encodes an event as an SSE message. */
export function sseFrame(event: StreamEvent): string {
  const seq = event.type === 'start' ? event.after : 'seq' in event ? event.seq : undefined;
  const id = seq === undefined ? '' : `id: ${event.stream_id}:${seq}\n`;
  return `${id}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
