// @vitest-environment node
import { describe, expect, it, vi } from 'vitest';

import type { ApiError } from './problem';
import { Api } from './api';
import type { RecordedRequest } from './testing/scriptedLines';
import { ScriptedServer } from './testing/scriptedServer';

function reach() {
  const server = new ScriptedServer();
  return { server, api: new Api('https://live.test', server.environment) };
}

const errorOf = (call: Promise<unknown>) => call.then(() => undefined, (error: ApiError) => error);
const ok = (body: unknown) => () => Response.json(body);

describe('Api', () => {
  it('reads settings, blocks and streams', async () => {
    const { server, api } = reach();
    server.answers['GET /api/blocks'] = ok({ results: [{ slug: 'quiz' }] });
    server.answers['GET /api/streams/a%20b'] = ok({ stream_id: 'a b' });
    expect((await api.config()).streaming.backend).toBe('sse');
    expect((await api.blocks()).map(({ slug }) => slug)).toEqual(['quiz']);
    expect((await api.stream('a b')).stream_id).toBe('a b');
    expect(server.requests.every(({ headers }) => headers['x-csrftoken'] === undefined)).toBe(true);
  });

  it('filters history, and omits the filters that are not set', async () => {
    const { server, api } = reach();
    server.answers['GET /api/streams'] = ok({ results: [], next: null });
    await api.streams({ status: 'complete', blockType: 'quiz', q: 'a&b', cursor: 'x=', limit: 20 });
    await api.streams({ q: '' });
    expect(server.requests.map(({ url }) => url)).toEqual([
      'https://live.test/api/streams?status=complete&block_type=quiz&q=a%26b&cursor=x%3D&limit=20',
      'https://live.test/api/streams',
    ]);
  });

  it('sends a CSRF token with writes, and fetches one first if there is none', async () => {
    const { server, api } = reach();
    server.answers['DELETE /api/streams/x'] = () => new Response(null, { status: 204 });
    server.answers['POST /api/streams/x/cancel'] = ok({ status: 'cancelled' });
    await api.remove('x');
    await api.cancel('x');
    expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'DELETE', 'POST']);
    expect(server.requests[1]?.headers['x-csrftoken']).toBe('token-1');
  });

  it('fetches another CSRF token once the cookies have changed in another tab', async () => {
    const { server, api } = reach();
    server.answers['POST /api/streams/x/cancel'] = ok({ status: 'cancelled' });
    await api.cancel('x');
    await api.cancel('x');
    server.sessions += 1;
    await api.cancel('x');
    const sent = server.calls('POST /api/streams/x/cancel').map(({ headers }) => headers['x-csrftoken']);
    expect(sent).toEqual(['token-1', 'token-1', 'token-2']);
  });

  it('asks once for the configuration that several calls need at the same time', async () => {
    const { server, api } = reach();
    const tokens: (string | undefined)[] = [];
    server.answers['DELETE /api/streams/x'] = ({ headers }: RecordedRequest) => {
      tokens.push(headers['x-csrftoken']);
      return new Response(null, { status: 204 });
    };
    await Promise.all([api.remove('x'), api.config(), api.remove('x')]);
    expect([tokens, server.calls('GET /api/config')]).toMatchObject([['token-1', 'token-1'], [{}]]);
    await api.config();
    expect(server.calls('GET /api/config')).toHaveLength(2);
  });

  it('asks again for a configuration whose request was swallowed', async () => {
    const server = new ScriptedServer();
    let now = 0;
    const api = new Api('https://live.test', { ...server.environment, now: () => now });
    server.answers['GET /api/config'] = () => new Promise(() => undefined);
    void api.config();
    await vi.waitFor(() => expect(server.calls('GET /api/config')).toHaveLength(1));
    server.answers['GET /api/config'] = () => Response.json({ csrf_token: 'second' });
    now = 5_000;
    expect(await api.config()).toEqual({ csrf_token: 'second' });
  });

  it('renews a rejected token once', async () => {
    const { server, api } = reach();
    const tokens: (string | undefined)[] = [];
    server.answers['DELETE /api/streams/x'] = ({ headers }: RecordedRequest) => {
      tokens.push(headers['x-csrftoken']);
      return Response.json({ code: 'csrf_failed' }, { status: 403 });
    };
    const error = await errorOf(api.remove('x'));
    expect(tokens).toEqual(['token-1', 'token-2']);
    expect([error?.httpStatus, error?.problem.code]).toEqual([403, 'csrf_failed']);
  });

  it('rejects with the server’s problem', async () => {
    const { server, api } = reach();
    server.answers['DELETE /api/streams/x'] = () =>
      Response.json({ code: 'still_running', detail: 'It runs.' }, { status: 409 });
    const error = await errorOf(api.remove('x'));
    expect(error).toMatchObject({ name: 'ApiError', message: 'It runs.', httpStatus: 409 });
    expect(error?.problem).toMatchObject({ code: 'still_running', isRetryable: false });
  });

  it('rejects in the same way for no response and for an unreadable one', async () => {
    const { server, api } = reach();
    server.answers['GET /api/blocks'] = () => new Response('<h1>Hello</h1>');
    expect((await errorOf(api.blocks()))?.problem.code).toBe('malformed');
    server.isOffline = true;
    const away = await errorOf(api.blocks());
    expect([away?.httpStatus, away?.problem]).toMatchObject([
      0,
      { code: 'unreachable', isRetryable: true },
    ]);
    expect((await errorOf(api.cancel('x')))?.problem.code).toBe('unreachable');
  });
});
