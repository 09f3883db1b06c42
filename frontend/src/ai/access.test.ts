// @vitest-environment node
import { describe, expect, it, vi } from 'vitest';

import { Api } from './api';
import { StreamClient } from './streamClient';
import { chunk, completed, started, STREAM } from './testing/scriptedEvents';
import { pass, settle } from './testing/scriptedLines';
import type { RecordedRequest } from './testing/scriptedLines';
import { setStage } from './testing/stage';
import type { AccessOptions } from './types';

const stage = setStage();
const of = (requests: readonly RecordedRequest[], header: string) => requests.map(({ headers }) => headers[header]);
const refuse = () => Response.json({ code: 'not_authenticated', detail: 'No.' }, { status: 401 });

function call(options: AccessOptions) {
  const { server } = stage;
  server.answers['GET /api/blocks'] = () => Response.json({ results: [] });
  server.answers[`POST /api/streams/${STREAM}/cancel`] = () => Response.json({ status: 'cancelled' });
  return new Api('https://live.test', server.environment, options);
}

describe('a token', () => {
  it('is sent with every request, without a cookie, and in no address', async () => {
    const { handle } = stage.ask({ transport: 'auto', token: 'secret' });
    const first = await stage.server.sseLine();
    await first.send(started(), chunk(0, 'a'));
    await first.cut();
    handle.reconnectNow();
    const second = await stage.server.sseLine();
    expect(second.request.headers['last-event-id']).toBe(`${STREAM}:0`);
    await second.send(started({ after: 0 }), completed(1));
    await call({ token: 'secret' }).cancel(STREAM);
    const { requests } = stage.server;
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /api/config',
      'POST /api/stream/ai-block/ask-question',
      `GET /api/streams/${STREAM}/events`,
      `POST /api/streams/${STREAM}/cancel`,
    ]);
    expect(new Set(of(requests, 'authorization'))).toEqual(new Set(['Bearer secret']));
    expect(new Set(of(requests, 'x-csrftoken'))).toEqual(new Set([undefined]));
    expect(new Set(requests.map(({ credentials }) => credentials))).toEqual(new Set(['omit']));
    expect(requests.some(({ url }) => url.includes('secret'))).toBe(false);
  });

  it.each([
    ['at once', (count: number) => `t${count}`],
    ['later', (count: number) => Promise.resolve(`t${count}`)],
  ])('of a function is asked for at each request: %s', async (_, make) => {
    let count = 0;
    const api = call({ token: () => make(++count) });
    await api.blocks();
    await api.blocks();
    expect(of(stage.server.requests, 'authorization')).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('that is refused is renewed once', async () => {
    const token = vi.fn(({ isRenewal }: { isRenewal: boolean }) => (isRenewal ? 'new' : 'old'));
    const api = call({ token });
    stage.server.answers['GET /api/blocks'] = ({ headers }) =>
      headers['authorization'] === 'Bearer new' ? Response.json({ results: [] }) : refuse();
    expect(await api.blocks()).toEqual([]);
    stage.server.answers['GET /api/blocks'] = refuse;
    await expect(api.blocks()).rejects.toMatchObject({ httpStatus: 401, problem: { code: 'not_authenticated' } });
    expect(token.mock.calls.map(([{ isRenewal }]) => isRenewal)).toEqual([false, true, false, true]);
  });

  it('that is a text is not sent twice', async () => {
    const api = call({ token: 'old' });
    stage.server.answers['GET /api/blocks'] = refuse;
    await expect(api.blocks()).rejects.toMatchObject({ problem: { code: 'not_authenticated' } });
    expect(stage.server.requests).toHaveLength(1);
  });

  it('is renewed by a start, which then ends with the server’s code', async () => {
    const { handle } = stage.ask({ token: ({ isRenewal }) => (isRenewal ? 'new' : 'old') });
    await (await stage.server.line()).refuse(401, 'not_authenticated');
    const again = await stage.server.sseLine();
    expect(again.request.headers['authorization']).toBe('Bearer new');
    await again.refuse(401, 'not_authenticated');
    expect([handle.status, handle.problem?.code]).toEqual(['error', 'not_authenticated']);
    await pass(60_000);
    expect(stage.server.lines).toHaveLength(2);
  });

  it('that can’t be had is waited for', async () => {
    const token = vi.fn(() => 'good').mockImplementationOnce(() => Promise.reject(new Error('offline')) as never);
    const { handle } = stage.ask({ token });
    await settle();
    expect([handle.status, handle.problem]).toEqual(['reconnecting', undefined]);
    await pass(300);
    await (await stage.server.sseLine()).send(started(), completed(0));
    expect(handle.status).toBe('ready');
    const api = call({ token: () => Promise.reject(new Error('offline')) });
    await expect(api.blocks()).rejects.toMatchObject({ problem: { code: 'token_unavailable', isRetryable: true } });
  });
});

describe('a token over a WebSocket', () => {
  const protocolsOf = () => stage.server.sockets.map(({ protocols }) => protocols[1]);

  it('is a subprotocol of the one socket for all lines', async () => {
    const { handle, client } = stage.ask({ transport: 'websocket', token: () => Promise.resolve('secret') });
    stage.keep(client.start({ blockType: 'quiz', prompt: 'The sea' }));
    const { socket } = await stage.server.socketLine();
    expect((await stage.server.socketLine()).socket).toBe(socket);
    expect(socket.protocols).toEqual(['liveai', 'liveai.token.secret']);
    expect(socket.url).toBe('wss://live.test/ws/stream?follow=none');
    expect(handle.status).toBe('submitted');
  });

  it('is left out where there is none', async () => {
    stage.ask({ transport: 'websocket' });
    expect((await stage.server.socketLine()).socket.protocols).toEqual([]);
  });

  it.each(['close', 'frame'])('that is refused is renewed once, and again after it worked: %s', async (by) => {
    let count = 0;
    const token = ({ isRenewal }: { isRenewal: boolean }) => `${isRenewal ? 'new' : 'old'}${++count}`;
    const { handle } = stage.ask({ transport: 'websocket', token });
    const refuseLine = async () => {
      const line = await stage.server.socketLine();
      if (by === 'close') await line.socket.shut(4401);
      else await line.refuse(401, 'not_authenticated');
      await pass(700);
    };
    await refuseLine();
    await (await stage.server.line()).send(started(), chunk(0, 'a'));
    const [, second] = stage.server.sockets;
    await second?.shut(4401);
    await pass(700);
    expect(protocolsOf()).toEqual(['liveai.token.old1', 'liveai.token.new2', 'liveai.token.new3']);
    expect(handle.status).toBe('reconnecting'); // until the next event
    await refuseLine();
    expect([handle.status, handle.problem?.code]).toEqual(['error', 'not_authenticated']);
    expect(handle.problem?.message).not.toContain('session');
    expect(stage.server.sockets).toHaveLength(3);
  });

  it('that never comes does not block the next attempt', async () => {
    const token = vi.fn(() => Promise.resolve('good')).mockImplementationOnce(() => new Promise(() => undefined));
    const { handle } = stage.ask({ transport: 'websocket', token });
    await pass(10_300);
    expect(handle.status).not.toBe('error');
    await (await stage.server.socketLine()).send(started(), completed(0));
    expect(handle.status).toBe('ready');
  });
});

describe('headers and credentials', () => {
  it('are the page’s own, under those of the protocol', async () => {
    stage.ask({ headers: { 'X-Tenant': 'a', accept: 'text/plain' }, credentials: 'include' });
    const { request } = await stage.server.sseLine();
    expect(request.headers).toMatchObject({ 'x-tenant': 'a', accept: 'text/event-stream', 'x-csrftoken': 'token-1' });
    expect(request.credentials).toBe('include');
  });

  it('are asked for at each request, if they come from a function', async () => {
    let count = 0;
    const api = call({ headers: () => Promise.resolve({ 'X-Count': String(++count) }) });
    await api.blocks();
    await api.blocks();
    expect(of(stage.server.requests, 'x-count')).toEqual(['1', '2']);
    expect(stage.server.requests[0]?.credentials).toBe('same-origin');
  });

  it.each([
    [undefined, undefined],
    ['include', 'token-1'],
  ] as const)('give another origin no CSRF token of this page, unless cookies go there: %s', async (credentials, sent) => {
    stage.server.isForeign = true;
    const api = call({ credentials });
    await api.config(); // this page has a token now
    await api.cancel(STREAM);
    expect(stage.server.requests.at(-1)?.headers['x-csrftoken']).toBe(sent);
  });
});

describe('another origin', () => {
  it.each(['sse', 'websocket', 'auto'] as const)('that refuses this page is told after one try over %s', async (transport) => {
    stage.server.isForeign = stage.server.isOffline = true;
    const { handle, log } = stage.ask({ transport });
    await pass(10);
    expect([handle.status, handle.problem]).toMatchObject(['error', { code: 'unreachable', isRetryable: true }]);
    expect(log).toEqual(['error unreachable', 'is error']);
  });

  it('is waited for while an answer that was begun may still be there', async () => {
    stage.server.isForeign = stage.server.isOffline = true;
    const handle = stage.keep(stage.client({ transport: 'sse' }).watch({ streamId: STREAM }));
    await pass(1000);
    expect(handle.status).toBe('reconnecting');
    await pass(9000);
    expect([handle.status, handle.problem?.code]).toEqual(['error', 'unreachable']);
  });

  it('is waited for while only the token can’t be had', async () => {
    stage.server.isForeign = true;
    const getToken = vi.fn(() => 'good').mockImplementationOnce(() => Promise.reject(new Error('offline')) as never);
    const { handle } = stage.ask({ getToken });
    await settle();
    expect([handle.status, handle.lineProblem?.code]).toEqual(['reconnecting', 'token_unavailable']);
    await pass(300);
    const line = await stage.server.sseLine();
    expect(line.request.headers['authorization']).toBe('Bearer good');
    await line.send(started(), completed(0));
  });

  it('that has answered once is waited for like our own', async () => {
    stage.server.isForeign = true;
    const { handle } = stage.ask();
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    stage.server.isOffline = true;
    await line.cut();
    await pass(20_000);
    expect(handle.status).toBe('reconnecting');
  });

  it('keeps a patient client’s own number of attempts, if that is lower', async () => {
    stage.server.isForeign = stage.server.isOffline = true;
    const { handle } = stage.ask({ maxAttempts: 1 });
    await pass(600);
    expect(handle.status).toBe('error');
  });
});

it('calls a page’s own fetch as a function, since a browser refuses another object as `this`', async () => {
  function fetch(this: unknown): Promise<Response> {
    return this === undefined || this === globalThis
      ? Promise.resolve(Response.json({ results: [] }))
      : Promise.reject(new TypeError('Illegal invocation'));
  }
  expect(await new StreamClient({ baseUrl: 'https://live.test', fetch }).api.blocks()).toEqual([]);
});
