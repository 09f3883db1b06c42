// @vitest-environment node
/** The client where there is no page: in a program, and in a Web Worker. */
import { expect, it, vi } from 'vitest';

import { Api } from './api';
import { browserEnvironment, originOf } from './environment';
import { StreamClient } from './streamClient';
import { STREAM } from './testing/scriptedEvents';

const BASE_URL = 'https://ai.test/ai';
const CONFIG = { streaming: { enabled: true, backend: 'sse', fallback: true, message: '' }, csrf_token: 'T' };

/** A server that gives each request without a cookie a new session. */
function serve() {
  const asked: Request[] = [];
  const fetch = vi.fn<typeof globalThis.fetch>(async (url, init) => {
    const request = new Request(url, init);
    asked.push(request);
    const headers = new Headers();
    if (!request.headers.get('cookie')?.includes('sessionid')) headers.append('Set-Cookie', 'sessionid=s1; Path=/; HttpOnly');
    headers.append('Set-Cookie', 'csrftoken=c1; Path=/');
    headers.append('Set-Cookie', 'messages=""; Max-Age=0; Path=/');
    return Response.json(request.url.endsWith('/config') ? CONFIG : { status: 'cancelled' }, { headers });
  });
  return { asked, fetch };
}

it('a program keeps its session, so that it can cancel', async () => {
  const { asked, fetch } = serve();
  await new StreamClient({ baseUrl: BASE_URL, fetch }).api.cancel(STREAM);
  const [config, cancel] = asked;
  expect([config?.url, cancel?.url]).toEqual([`${BASE_URL}/api/config`, `${BASE_URL}/api/streams/${STREAM}/cancel`]);
  expect(config?.headers.get('cookie')).toBeNull();
  expect(Object.fromEntries(cancel?.headers ?? [])).toMatchObject({
    cookie: 'sessionid=s1; csrftoken=c1',
    origin: 'https://ai.test',
    'x-csrftoken': 'T',
  });
});

it.each([{ token: 'secret' }, { credentials: 'omit' as const }])('a program with %j keeps no cookie', async (options) => {
  const { asked, fetch } = serve();
  const { api } = new StreamClient({ baseUrl: BASE_URL, fetch, ...options });
  await api.config();
  await api.cancel(STREAM);
  expect(asked.map(({ headers }) => [headers.get('cookie'), headers.get('x-csrftoken')])).toEqual([[null, null], [null, null]]);
});

it('a program sends its cookies along with a socket, and a page has none to send', async () => {
  const { fetch } = serve();
  const { api } = new StreamClient({ baseUrl: BASE_URL, fetch });
  expect(api.access.socketOptions()).toBeUndefined();
  await api.config();
  expect(api.access.socketOptions()).toEqual({ headers: { cookie: 'sessionid=s1; csrftoken=c1', origin: 'https://ai.test' } });
});

it('a program shares no origin with a server, and has no limit of connections', () => {
  const env = browserEnvironment();
  expect([env.hasOrigin(), env.isForeign(BASE_URL), env.isMultiplexed(BASE_URL), env.cookies()]).toEqual([false, true, true, '']);
});

it.each([
  ['https://ai.test/worker.js', 'https:'],
  ['blob:https://ai.test/1b9d6bcd', 'blob:'],
])('a worker from %s shares the origin of its page', async (href, protocol) => {
  vi.stubGlobal('location', { href, protocol, origin: 'https://ai.test' });
  const { asked, fetch } = serve();
  const env = browserEnvironment();
  expect([originOf(''), env.isForeign(''), env.isForeign('https://other.test')]).toEqual(['https://ai.test', false, true]);
  await new Api(BASE_URL, { fetch }).cancel(STREAM);
  expect(asked[1]?.headers.get('x-csrftoken')).toBe('T'); // without any `document.cookie`
});

it('the paths of the server are options', async () => {
  const { asked, fetch } = serve();
  const urls: string[] = [];
  const Socket = function open(url: string) {
    urls.push(url);
    throw new Error('no socket');
  } as unknown as typeof WebSocket;
  const client = new StreamClient({ baseUrl: BASE_URL, apiPath: '/answers', socketPath: '/live', fetch, WebSocket: Socket, token: 't', maxAttempts: 0 });
  await client.api.blocks();
  await client.start({ blockType: 'quiz', prompt: 'x' }, {}, 'websocket').done;
  expect([asked[0]?.url, urls]).toEqual([`${BASE_URL}/answers/blocks`, ['wss://ai.test/ai/live?follow=none']]);
});
