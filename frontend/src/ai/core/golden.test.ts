// @vitest-environment node
import { createParser } from 'eventsource-parser';
import { describe, expect, it } from 'vitest';

import type { StreamEvent } from './events';
import { eventFromText } from './events';
import type { StreamState } from './state';
import { EMPTY, reduce } from './state';
import type { Final, GoldenRun } from '../testing/fixtures';
import { RUNS } from '../testing/fixtures';

function fromSse(frames: readonly string[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = createParser({ onEvent: (message) => events.push(known(message.data)) });
  parser.feed(frames.join(''));
  return events;
}

const fromWebSocket = (frames: readonly string[]) => frames.map(known);

function known(text: string): StreamEvent {
  const event = eventFromText(text);
  if (!event) throw new Error(`not an event: ${text}`);
  return event;
}

function add(state: StreamState, events: readonly StreamEvent[]): StreamState {
  return events.reduce((sum, event) => {
    const [next, outcome] = reduce(sum, event);
    expect(outcome).not.toBe('gap');
    return next;
  }, state);
}

function shown(state: StreamState): Final {
  const { text, items, arriving, lastSeq, status, terminal } = state;
  return { text, items: [...items], arriving, seq: lastSeq, status, terminal: terminal ?? null };
}

const encodings = [
  ['sse', (run: GoldenRun) => fromSse(run.sse)],
  ['websocket', (run: GoldenRun) => fromWebSocket(run.websocket)],
] as const;

describe.each(RUNS)('golden run $name', (run) => {
  it('is the same over both transports', () => {
    expect(fromSse(run.sse)).toEqual(fromWebSocket(run.websocket));
  });

  it.each(encodings)('leads to its final state over %s', (_, decode) => {
    expect(shown(add(EMPTY, decode(run)))).toEqual(run.final);
  });

  it('leads to the same state however the bytes are split', () => {
    const bytes = new TextEncoder().encode(run.sse.join(''));
    const events: StreamEvent[] = [];
    const parser = createParser({ onEvent: (message) => events.push(known(message.data)) });
    const decoder = new TextDecoder();
    for (let i = 0; i < bytes.length; i += 3) {
      parser.feed(decoder.decode(bytes.subarray(i, i + 3), { stream: true }));
    }
    expect(shown(add(EMPTY, events))).toEqual(run.final);
  });

  it('leads to the same state from every cut, resumed on either transport', () => {
    const whole = fromSse(run.sse);
    for (const attach of run.attaches) {
      if (attach.refused || attach.sse === undefined || attach.websocket === undefined) continue;
      for (const rest of [fromSse(attach.sse), fromWebSocket(attach.websocket)]) {
        const held = whole.filter((event) => 'seq' in event === false || event.seq <= attach.after);
        const before = add(EMPTY, held);
        if (before.lastSeq !== attach.after) continue; // no client that saw this run can hold that cursor
        expect(shown(add(before, rest))).toEqual(run.final);
      }
    }
  });
});

describe('the reducer', () => {
  const id = 'Zm9ydHktdHdvLXN0cmVhbQ';
  const start = known(
    `{"type":"start","stream_id":"${id}","block_type":"ask-question","model":"m","status":"running","after":-1,"created_at":"","request_id":null}`,
  );
  const chunk = (seq: number, token: string, first_seq?: number): StreamEvent => ({
    type: 'chunk',
    stream_id: id,
    seq,
    token,
    ...(first_seq === undefined ? {} : { first_seq }),
  });

  it('drops what it already has', () => {
    const state = add(EMPTY, [start, chunk(0, 'a'), chunk(1, 'b')]);
    expect(reduce(state, chunk(1, 'b'))).toEqual([state, 'ignored']);
  });

  it('reports missing events', () => {
    const state = add(EMPTY, [start, chunk(0, 'a')]);
    expect(reduce(state, chunk(2, 'c'))).toEqual([state, 'gap']);
  });

  it('never applies a merged chunk that it has in part', () => {
    const state = add(EMPTY, [start, chunk(0, 'a'), chunk(1, 'b')]);
    expect(reduce(state, chunk(3, 'bcd', 1))).toEqual([state, 'gap']);
    expect(reduce(state, chunk(3, 'cd', 2))[0].text).toBe('abcd');
  });

  it('starts over with a start from the beginning, and keeps its state with any other', () => {
    const state = add(EMPTY, [start, chunk(0, 'a')]);
    expect(reduce(state, start)[0].text).toBe('');
    expect(reduce(state, { ...start, after: 0 } as StreamEvent)[0].text).toBe('a');
  });

  it('ignores everything after the end', () => {
    const end: StreamEvent = { type: 'cancelled', stream_id: id, seq: 1, by: 'owner' };
    const state = add(EMPTY, [start, chunk(0, 'a'), end]);
    expect(reduce(state, chunk(2, 'c'))).toEqual([state, 'ignored']);
    expect(state.status).toBe('cancelled');
  });

  it('keeps thinking apart from the answer, until the next event ends it', () => {
    const think = (since_ms: number): StreamEvent => ({ type: 'thinking', stream_id: id, since_ms });
    const thinking = add(EMPTY, [start, think(0), think(1004)]);
    expect(thinking.thinking).toEqual({ isThinking: true, sinceMs: 1004 });
    expect({ ...thinking, thinking: undefined }).toEqual(add(EMPTY, [start]));
    const writing = add(thinking, [chunk(0, 'a'), chunk(1, 'b')]);
    expect(writing.thinking).toEqual({ isThinking: false, sinceMs: 1004 });
    expect([writing.text, writing.lastSeq]).toEqual(['ab', 1]);
    const reset: StreamEvent = { type: 'reset', stream_id: id, seq: 2, reason: 'retry' };
    expect(add(writing, [reset]).thinking).toBeUndefined();
    expect(add(writing, [start]).thinking).toBeUndefined();
    expect(add(thinking, [start]).thinking).toEqual(thinking.thinking);
    const other = { ...start, stream_id: 'YW5vdGhlci1vbmUtaGVyZQ' } as StreamEvent;
    expect(add(thinking, [other]).thinking).toBeUndefined();
    const end: StreamEvent = { type: 'cancelled', stream_id: id, seq: 0, by: 'owner' };
    const ended = add(thinking, [end]);
    expect(ended.thinking).toEqual({ isThinking: false, sinceMs: 1004 });
    expect(reduce(ended, think(2000))).toEqual([ended, 'ignored']);
  });

  it('recognises no event in other values', () => {
    for (const text of ['', '{', '[]', 'null', '{"type":"chunk"}', '{"type":"news","seq":1}']) {
      expect(eventFromText(text)).toBeUndefined();
    }
  });
});
