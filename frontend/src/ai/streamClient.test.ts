// @vitest-environment node
import { describe, expect, it, vi } from 'vitest';

import type { StreamEvent } from './core/events';
import { chunk, chunks, completed, OTHER_STREAM, started, STREAM } from './testing/scriptedEvents';
import { pass, settle } from './testing/scriptedLines';
import { recorder } from './testing/scriptedServer';
import { QUESTION, TRANSPORTS, setStage } from './testing/stage';

const stage = setStage();

async function typesOf(events: AsyncIterable<StreamEvent>): Promise<string[]> {
  const types: string[] = [];
  for await (const event of events) types.push(event.type);
  return types;
}

describe('a start over SSE', () => {
  it('posts the request with its id and the CSRF token', async () => {
    const { handle } = stage.ask({ request: { options: { tone: 'dry' } } });
    const { request } = await stage.server.sseLine();
    expect(request.method).toBe('POST');
    expect(request.url).toBe('https://live.test/api/stream/ai-block/ask-question');
    expect(request.headers).toMatchObject({
      accept: 'text/event-stream',
      'content-type': 'application/json',
      'x-csrftoken': 'token-1',
    });
    expect(request.headers['last-event-id']).toBeUndefined();
    expect(request.body).toEqual({
      prompt: QUESTION.prompt,
      options: { tone: 'dry' },
      request_id: handle.requestId,
    });
    expect(handle.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('requests a token only if it has none', async () => {
    const { client } = stage.ask();
    await stage.server.line();
    stage.keep(client.start(QUESTION));
    await stage.server.line();
    expect(stage.server.calls('GET /api/config')).toHaveLength(1);
  });
});

describe('a start over a WebSocket', () => {
  it('sends one frame on a socket that follows nothing else', async () => {
    const { handle } = stage.ask({ transport: 'websocket' });
    const { socket } = await stage.server.socketLine();
    expect(socket.url).toBe('wss://live.test/ws/stream?follow=none');
    expect(socket.frames).toEqual([
      {
        type: 'start',
        ref: 'r1',
        block_type: 'ask-question',
        prompt: QUESTION.prompt,
        options: {},
        request_id: handle.requestId,
      },
    ]);
  });
});

describe('a continuation', () => {
  it.each(TRANSPORTS)('over %s names the stream that it continues', async (transport) => {
    const { handle, client } = stage.ask({ transport, request: { continues: OTHER_STREAM } });
    const line = await stage.server.line();
    expect(line.asked).toMatchObject({ prompt: QUESTION.prompt, continues: OTHER_STREAM });
    await line.send(started({ continues: OTHER_STREAM }), chunk(0, 'the rest'));
    expect(handle.state).toMatchObject({ continues: OTHER_STREAM, text: 'the rest' });
    const onStart = vi.fn();
    stage.keep(client.watch({ streamId: STREAM }, { onStart }));
    await settle();
    expect(onStart.mock.lastCall?.[0]).toMatchObject({ continues: OTHER_STREAM });
  });

  it.each([{}, { continues: null }])('is no other stream: %o', async (extra) => {
    const { handle } = stage.ask();
    const line = await stage.server.line();
    const start = { ...started(), continues: undefined, ...extra };
    await line.send(start);
    expect([handle.streamId, handle.state.continues]).toEqual([STREAM, undefined]);
  });
});

describe('a watch', () => {
  it('over SSE requests the stream from the beginning', async () => {
    stage.keep(stage.client({ transport: 'sse' }).watch({ streamId: STREAM }));
    const { request } = await stage.server.sseLine();
    expect([request.method, request.path]).toEqual(['GET', `/api/streams/${STREAM}/events`]);
    expect(request.headers['last-event-id']).toBe(`${STREAM}:-1`);
  });

  it('continues from the state it is given', async () => {
    const { handle, client } = stage.ask();
    await (await stage.server.line()).send(started(), chunk(0, 'a'));
    handle.disconnect();
    const { log, handlers } = recorder();
    const again = stage.keep(client.watch({ streamId: STREAM, held: handle.state }, handlers));
    const line = await stage.server.line();
    expect(line.asked).toMatchObject({ kind: 'watch', after: 0 });
    await line.send(started({ after: 0 }), chunk(1, 'b'), completed(2));
    expect((await again.done).text).toBe('ab');
    expect(log.filter((entry) => !entry.startsWith('is'))).toEqual([
      'start -1',
      'snapshot a',
      'start 0',
      'chunk b',
      'complete',
    ]);
  });

  it('of a stream that does not exist is an error', async () => {
    const { log, handlers } = recorder();
    const handle = stage.keep(stage.client({ transport: 'sse' }).watch({ streamId: STREAM }, handlers));
    await (await stage.server.line()).refuse(404, 'not_found');
    expect([handle.status, handle.problem?.code]).toEqual(['error', 'not_found']);
    expect(log).toEqual(['error not_found', 'is error']);
  });
});

describe.each(TRANSPORTS)('several handles on one stream over %s', (transport) => {
  it('share its connection; a late one gets the past first, then new events', async () => {
    const { client, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), ...chunks(0, 'a', 'b'));
    const late = recorder();
    const second = stage.keep(client.watch({ streamId: STREAM }, late.handlers));
    expect(late.log).toEqual([]); // not synchronously within the caller's code
    await settle();
    expect(late.log).toEqual(['start -1', 'snapshot ab']);
    await line.send(chunk(2, 'c'), completed(3));
    expect(late.log).toEqual(['start -1', 'snapshot ab', 'chunk c', 'complete', 'is ready']);
    expect(log.filter((entry) => entry.startsWith('chunk'))).toHaveLength(3);
    expect((await second.done).text).toBe('abc');
    expect(stage.server.lines).toHaveLength(1);
  });

  it('share it by their request id too', async () => {
    const { client, handle } = stage.ask({ transport });
    const second = stage.keep(client.start({ ...QUESTION, requestId: handle.requestId }));
    await settle();
    expect([second.requestId, stage.server.lines.length]).toEqual([handle.requestId, 1]);
  });

  it('close it with the last one only, and a disconnected one keeps its state', async () => {
    const { client, handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    const second = stage.keep(client.watch({ streamId: STREAM }));
    await settle();
    handle.disconnect();
    handle.disconnect();
    expect([handle.status, second.status, line.isLetGo]).toEqual(['ready', 'streaming', false]);
    expect((await handle.done).text).toBe('a');
    await line.send(chunk(1, 'b'));
    expect([handle.state.text, handle.lastSeq, second.state.text]).toEqual(['a', 0, 'ab']);
    second.disconnect();
    expect(line.isLetGo).toBe(true);
  });

  it('keep the order when one joins in the middle of a burst', async () => {
    const late = recorder();
    const { client } = stage.ask({
      transport,
      handlers: {
        onChunk: ({ token }) => {
          if (token === 'a') stage.keep(client.watch({ streamId: STREAM }, late.handlers));
        },
      },
    });
    await (await stage.server.line()).send(started(), ...chunks(0, 'a', 'b', 'c'), completed(3));
    const said = late.log.filter((entry) => !entry.startsWith('is'));
    expect(said[0]).toBe('start -1');
    expect(said[1]).toMatch(/^snapshot a/);
    const words = said.slice(1, -1).map((entry) => entry.split(' ')[1]);
    expect([words.join(''), said.at(-1)]).toEqual(['abc', 'complete']);
  });

  it('do not join a finished run', async () => {
    const again = recorder();
    const { client } = stage.ask({
      transport,
      handlers: { onComplete: () => stage.keep(client.watch({ streamId: STREAM }, again.handlers)) },
    });
    await (await stage.server.line()).send(started(), completed(0));
    await (await stage.server.line()).send(started({ status: 'complete' }), completed(0));
    expect(again.log).toEqual(['start -1', 'complete', 'is ready']);
  });
});

describe('a retry from within onError', () => {
  it('is a new run', async () => {
    const { client, handle } = stage.ask({
      handlers: { onError: () => stage.keep(client.start({ ...QUESTION, requestId: handle.requestId })) },
    });
    await (await stage.server.line()).refuse(401, 'not_authenticated');
    expect((await stage.server.line()).asked).toMatchObject({ requestId: handle.requestId });
  });
});

describe('iteration', () => {
  it('yields each event once, and ends with the stream', async () => {
    const { handle } = stage.ask();
    const types = typesOf(handle);
    const line = await stage.server.line();
    await line.send(started(), ...chunks(0, 'a', 'b'));
    await line.cut();
    await pass(300);
    await (await stage.server.line()).send(started({ after: 1 }), chunk(2, 'c'), completed(3));
    expect(await types).toEqual(['start', 'chunk', 'chunk', 'start', 'chunk', 'complete']);
  });

  it('that starts late yields the past first, even after the end', async () => {
    const { handle } = stage.ask();
    const line = await stage.server.line();
    await line.send(started(), ...chunks(0, 'a', 'b'));
    const types = typesOf(handle);
    await line.send(chunk(2, 'c'), completed(3));
    expect(await types).toEqual(['start', 'snapshot', 'chunk', 'complete']);
    expect(await typesOf(handle)).toEqual(['start', 'snapshot', 'complete']);
  });

  it('ends with a disconnect, and may be abandoned', async () => {
    const { handle } = stage.ask();
    const types = typesOf(handle);
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    for await (const event of handle) {
      expect(event.type).toBe('start');
      break;
    }
    handle.disconnect();
    expect(await types).toEqual(['start', 'chunk']);
    expect(await typesOf(handle)).toEqual([]);
  });

  it('answers every one of several pending calls', async () => {
    const { handle } = stage.ask();
    const events = handle[Symbol.asyncIterator]();
    const both = Promise.all([events.next(), events.next(), events.next()]);
    const line = await stage.server.line();
    await line.send(started(), completed(0));
    expect((await both).map(({ done }) => done)).toEqual([false, false, true]);
  });
});

describe('a callback that throws', () => {
  it('harms neither the stream nor other listeners', async () => {
    const thrown: unknown[] = [];
    const realMicrotask = queueMicrotask;
    vi.stubGlobal('queueMicrotask', (task: () => void) =>
      realMicrotask(() => {
        try {
          task();
        } catch (error) {
          thrown.push(error);
        }
      }),
    );
    const oops = () => {
      throw new Error('oops');
    };
    const { handle, log } = stage.ask({
      handlers: { onEvent: oops, onStart: oops, onStatusChange: oops, onReconnect: oops },
    });
    const types = typesOf(handle);
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    await line.cut();
    await pass(300);
    await (await stage.server.line()).send(started({ after: 0 }), chunk(1, 'b'), completed(2));
    vi.unstubAllGlobals();
    expect((await handle.done).text).toBe('ab');
    expect(log).toEqual(['chunk a', 'chunk b', 'complete']);
    expect(await types).toEqual(['start', 'chunk', 'start', 'chunk', 'complete']);
    expect(thrown.length).toBeGreaterThan(3);
  });
});

describe('done', () => {
  it('settles once, whatever comes after', async () => {
    const { handle } = stage.ask();
    const line = await stage.server.sseLine();
    let settled = 0;
    void handle.done.then(() => (settled += 1));
    await line.send(started(), completed(0));
    await line.send(chunk(1, 'LATE'));
    await line.end();
    handle.disconnect();
    await handle.cancel();
    handle.reconnectNow();
    await pass(60_000);
    expect([settled, handle.status, handle.state.text]).toEqual([1, 'ready', '']);
  });
});
