/** A page of another site that the operator lists: it asks with a token, over both transports, without cookies. */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import type { Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { StreamClient, TransportName } from '../../../src/ai';
import { useBrowser } from '../browser';
import { LiveServer } from '../liveServer';

const CLIENT = fileURLToPath(new URL('../../../src/ai/streamClient.ts', import.meta.url));
const HOST = 'their.test';

const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><title>Their page</title>' +
  '<script type="module">import * as ours from "/client.js"; window.ours = ours;</script>';

const browsers = useBrowser([`--host-resolver-rules=MAP *.test 127.0.0.1`]);
let theirs: Server;
let origin = '';
let ours: LiveServer;
let tokens: Record<'ask' | 'read', string>;

/** The client as one file, as another site would bundle it. */
async function bundled(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, lib: { entry: CLIENT, formats: ['es'], fileName: 'client' } },
  });
  const [result] = Array.isArray(built) ? built : [built];
  if (!result || !('output' in result)) throw new Error('Nothing was built.');
  return result.output[0].code;
}

beforeAll(async () => {
  const client = await bundled();
  theirs = createServer((request, response) => {
    const isClient = request.url === '/client.js';
    response.writeHead(200, { 'Content-Type': isClient ? 'text/javascript' : 'text/html' });
    response.end(isClient ? client : PAGE);
  });
  await new Promise<void>((resolve) => theirs.listen(0, '127.0.0.1', resolve));
  origin = `http://${HOST}:${(theirs.address() as AddressInfo).port}`;
  ours = await LiveServer.start({ CORS_ALLOWED_ORIGINS: origin });
  tokens = { ask: makeToken('ask'), read: makeToken('read') };
});
afterAll(async () => {
  theirs.close();
  await ours.close();
});

const makeToken = (scope: 'read' | 'ask') =>
  ours.python(
    'from django.contrib.auth.models import User; from liveai.api_tokens.making import make_token;' +
      `print(make_token(User.objects.get().pk, name='${scope}', scope='${scope}', days=None)[1])`,
  ).trim();

interface Asked {
  readonly transport: TransportName;
  readonly token: string;
  readonly prompt?: string;
  /** Cancels once the answer has these words. */
  readonly stopsAt?: string;
}

/** Asks on their page, and returns what its client saw. */
const ask = (page: Page, asked: Asked) =>
  page.evaluate(
    async ({ baseUrl, transport, token, prompt = 'count on', stopsAt }) => {
      const { ours: module } = window as unknown as { ours: { StreamClient: typeof StreamClient } };
      const client = new module.StreamClient({ baseUrl, token, transport, fallback: false });
      const answer = client.start({ blockType: 'ask-question', prompt });
      let text = '';
      for await (const event of answer) {
        if (event.type === 'chunk') text += event.token;
        if (stopsAt && text.includes(stopsAt)) await answer.cancel();
      }
      return { text, status: answer.state.status, code: answer.problem?.code, streamId: answer.streamId ?? '' };
    },
    { baseUrl: ours.url, ...asked },
  );

async function theirPage(): Promise<Page> {
  const visitor = await browsers.visitor();
  const page = await visitor.newPage();
  await page.goto(origin);
  return page;
}

const statusOf = (streamId: string) =>
  ours.python(`from streaming.models import Stream; print(Stream.objects.get(pk='${streamId}').status)`).trim();

describe.each(['sse', 'websocket'] as const)('over %s, a page of a listed site', (transport) => {
  it('gets a whole answer with a token, and neither sends nor receives a cookie', async () => {
    const page = await theirPage();
    const cookies: (string | undefined)[] = [];
    page.on('request', (request) => cookies.push(request.headers()['cookie']));
    const { text, status } = await ask(page, { transport, token: tokens.ask });
    expect(status).toBe('complete');
    expect(text).toMatch(/^w001 w002 w003 /);
    expect(text.split(' ')).toEqual(text.split(' ').toSorted());
    expect(cookies.filter((cookie) => cookie !== undefined)).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
  });

  it('stops an answer, and the model with it', async () => {
    const page = await theirPage();
    const { status, streamId } = await ask(page, { transport, token: tokens.ask, prompt: 'wait here', stopsAt: 'w001' });
    expect(status).toBe('cancelled');
    expect(statusOf(streamId)).toBe('cancelled');
  });

  it.each([
    ['a token that may only read', () => tokens.read, 'forbidden'],
    ['a false token', () => `liveai_${'0'.repeat(64)}`, 'not_authenticated'],
  ])('is refused with %s', async (_, token, code) => {
    browsers.allow(/the server responded with a status of 40[13]/);
    expect((await ask(await theirPage(), { transport, token: token() })).code).toBe(code);
  });
});

it('a page of a site that is not listed reaches nothing, even with a token', async () => {
  browsers.allow(/blocked by CORS policy/, /net::ERR_FAILED/, /WebSocket connection/);
  const page = await theirPage();
  await page.goto(origin.replace(HOST, 'unlisted.test'));
  const before = ours.python('from streaming.models import Stream; print(Stream.objects.count())');
  expect((await ask(page, { transport: 'sse', token: tokens.ask })).code).toBe('unreachable');
  expect((await ask(page, { transport: 'websocket', token: tokens.ask })).code).toBe('unreachable');
  expect(ours.python('from streaming.models import Stream; print(Stream.objects.count())')).toBe(before);
});
