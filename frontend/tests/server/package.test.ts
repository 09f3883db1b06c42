/** The installed package: in Node, on a plain page, and in an app, each against a server of another origin. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { StreamResource } from '../../src/ai';
import { LOST_LINES, useBrowser } from './browser';
import { CuttingProxy } from './cuttingProxy';
import { LiveServer } from './liveServer';

const APP = process.env['LIVEAI_APP'] ?? '';
const CUTS = [1200, 2000, 2500];
const HOST = 'their.test';
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

const browsers = useBrowser([`--host-resolver-rules=MAP *.test 127.0.0.1`]);
const proxies: CuttingProxy[] = [];
let ours: LiveServer;
let theirs: Server;
let origin = '';
let token = '';
let expiring = '';
let block = ''; // the plain page's `<ai-block>`

/** Their policy allows no style and no script but those of files. */
const policy = () => `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src http://127.0.0.1:*`;

function serveTheirs(path: string): string | Buffer {
  if (path === '/plain') {
    return `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Theirs</title>${block}<script type="module" src="/ai-block.js"></script></html>`;
  }
  if (path === '/ai-block.js') return readFileSync(join(APP, 'node_modules/@liveai/client/dist/ai-block.js'));
  return readFileSync(join(APP, 'dist', path === '/' ? 'index.html' : path));
}

beforeAll(async () => {
  theirs = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://their.test');
    response.writeHead(200, { 'Content-Type': TYPES[extname(pathname)] ?? 'text/html', 'Content-Security-Policy': policy() });
    response.end(serveTheirs(pathname));
  });
  await new Promise<void>((resolve) => theirs.listen(0, '127.0.0.1', resolve));
  origin = `http://${HOST}:${(theirs.address() as AddressInfo).port}`;
  ours = await LiveServer.start({ CORS_ALLOWED_ORIGINS: origin });
  const made = ours.python(
    'from django.contrib.auth.models import User; from liveai.api_tokens.making import make_token;' +
      "[print(make_token(User.objects.get().pk, name=name, scope='ask', days=None)[1]) for name in ('kept', 'expiring')]",
  );
  [token = '', expiring = ''] = made.trim().split('\n');
});
afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
});
afterAll(async () => {
  theirs.close();
  await ours.close();
});

/** A way to the server that cuts the first connections of a stream. */
async function cut(cutsAfterBytes: number[] = CUTS): Promise<CuttingProxy> {
  const proxy = await CuttingProxy.listen(ours.port, { cutsAfterBytes });
  proxies.push(proxy);
  return proxy;
}

async function serversWord(streamId: string): Promise<StreamResource> {
  const response = await fetch(`${ours.url}/api/streams/${streamId}`, { headers: { Authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  return (await response.json()) as StreamResource;
}

interface Seen {
  streamId: string;
  text: string;
  status: string;
  code?: string;
  seq: number;
  gaps: unknown[];
  renewals: number;
  reconnects: number;
}

/** Runs the program in their folder. */
function ask(task: object): Promise<Seen> {
  const child = spawn('node', ['ask.mjs'], { cwd: APP, env: { ...process.env, TASK: JSON.stringify(task) } });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(said.trim().split('\n').at(-1) ?? '') as Seen);
      else reject(new Error(said));
    });
  });
}

describe('a program in Node', () => {
  it('loses and doubles nothing over cut lines, with a token that is refused in mid-answer', async () => {
    const proxy = await cut();
    const asked = ask({ baseUrl: proxy.url, tokens: [expiring, token], prompt: 'count on' });
    await expect.poll(() => proxy.cuts).toBe(CUTS.length);
    proxy.goDown();
    ours.python("from liveai.api_tokens.models import ApiToken; ApiToken.objects.filter(name='expiring').delete()");
    proxy.comeBack();
    const seen = await asked;
    expect(seen).toMatchObject({ status: 'complete', renewals: 1, gaps: [] });
    const { text, seq } = await serversWord(seen.streamId);
    expect([seen.text, seen.seq]).toEqual([text, seq]);
  });

  it.each(['with a token', 'with a session that it keeps by itself'])('stops the model, %s', async (by) => {
    const proxy = await cut([900]);
    const isToken = by === 'with a token';
    const seen = await ask({ baseUrl: proxy.url, prompt: 'wait here', stopsAt: 'w030', ...(isToken && { tokens: [token] }) });
    expect(seen).toMatchObject({ status: 'cancelled', reconnects: 1 });
    const status = ours.python(`from streaming.models import Stream; print(Stream.objects.get(pk='${seen.streamId}').status)`);
    expect(status.trim()).toBe('cancelled');
  });

  it('is told at once that there is no server', async () => {
    const proxy = await cut();
    proxy.goDown();
    expect(await ask({ baseUrl: proxy.url, tokens: [token], prompt: 'count on' })).toMatchObject({ code: 'unreachable', reconnects: 0 });
  });
});

describe('a page of another site', () => {
  it('shows the whole answer in <ai-block> over cut lines, under a strict policy', async () => {
    browsers.allow(LOST_LINES);
    const proxy = await cut();
    block = `<ai-block kind="ask-question" prompt="count on" base-url="${proxy.url}" token="${token}"></ai-block>`;
    const page = await (await browsers.visitor()).newPage();
    await page.goto(`${origin}/plain`);
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await page.getByText('Finished.').waitFor();
    const shown = await page.locator("ai-block [part='answer']").textContent();
    const streamId = await page.locator('ai-block').evaluate((found) => (found as HTMLElement & { answer: { streamId: string } }).answer.streamId);
    expect(shown).toBe((await serversWord(streamId)).text);
    expect(proxy.cuts).toBe(CUTS.length);
    // The styles are there although the policy allows none in the page.
    expect(await page.locator("ai-block [part='status']").evaluate((found) => getComputedStyle(found).fontSize)).toBe('14px');
  });

  it('shows the whole answer in an app that Vite built', async () => {
    browsers.allow(LOST_LINES);
    const proxy = await cut();
    const page = await (await browsers.visitor()).newPage();
    await page.goto(`${origin}/?${new URLSearchParams({ server: proxy.url, token, prompt: 'count on' }).toString()}`);
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.locator('[data-status="streaming"]').waitFor();
    await page.locator('[data-status="ready"]').waitFor();
    const { text } = await serversWord((await page.locator('main').getAttribute('data-stream')) ?? '');
    expect(await page.locator('main p').textContent()).toBe(text);
    expect(proxy.cuts).toBe(CUTS.length);
  });
});
