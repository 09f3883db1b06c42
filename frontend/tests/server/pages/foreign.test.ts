/**
 * A page of another site against this site on plain HTTP. There browsers send no `Sec-Fetch-*`, and
 * the other site can suppress `Referer`. It must not be able to start an answer.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Page, Request } from 'playwright-core';
import { afterAll, expect, it } from 'vitest';

import { useBrowser, useServer } from '../browser';

const SITE = 'site.test';
const START = '/api/stream/ai-block/ask-question?prompt=spend';

const browsers = useBrowser([`--host-resolver-rules=MAP *.test 127.0.0.1`]);

/** The server of all foreign pages. It listens first: the site lists the origin of one of them. */
let policy = '';
const foreign = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://evil.test');
  const to = url.searchParams.get('to');
  if (to) return void response.writeHead(302, { Location: to, 'Referrer-Policy': policy }).end();
  if (url.pathname !== '/' && url.pathname !== '/empty') return void response.writeHead(404).end();
  const asked = (name: string) => `http://${SITE}:${site.server.port}${START}-${name}`;
  const attacks = url.pathname === '/' ? Object.values(ATTACKS).map((attack) => attack(asked)) : [];
  response.writeHead(200, { 'Content-Type': 'text/html', 'Referrer-Policy': policy });
  response.end(`<!doctype html><meta charset="utf-8"><body>${attacks.join('\n')}</body>`);
});
await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
const { port } = foreign.address() as AddressInfo;
afterAll(() => void foreign.close());

const LISTED = `http://app.test:${port}`;
const site = useServer({ DJANGO_ALLOWED_HOSTS: `${SITE},127.0.0.1`, CORS_ALLOWED_ORIGINS: LISTED });

/** Each one tries to start a stream of its own, `request(name)`. */
const ATTACKS: Record<string, (request: (name: string) => string) => string> = {
  img: (request) => `<img src="${request('img')}">`,
  script: (request) => `<script src="${request('script')}"></script>`,
  iframe: (request) => `<iframe src="${request('iframe')}"></iframe>`,
  stylesheet: (request) => `<link rel="stylesheet" href="${request('stylesheet')}">`,
  prefetch: (request) => `<link rel="prefetch" href="${request('prefetch')}">`,
  preload: (request) => `<link rel="preload" as="image" href="${request('preload')}">`,
  object: (request) => `<object data="${request('object')}"></object>`,
  video: (request) => `<video src="${request('video')}" preload="auto"></video>`,
  background: (request) => `<p style="background: url('${request('background')}')">a</p>`,
  redirect: (request) => `<img src="/redirect?to=${encodeURIComponent(request('redirect'))}">`,
  form: (request) =>
    `<iframe name="frame"></iframe><form target="frame" action="${request('form')}">` +
    [...new URL(request('form')).searchParams].map(([k, v]) => `<input name="${k}" value="${v}">`).join('') +
    `</form><script>document.forms[0].submit()</script>`,
  fetch: (request) => `<script>void fetch('${request('fetch')}', { mode: 'no-cors' })</script>`,
  eventSource: (request) => `<script>new EventSource('${request('eventSource')}')</script>`,
  popup: (request) => `<script>window.open('${request('popup')}', '_blank', 'noreferrer')</script>`,
};

const countStreams = () =>
  Number(site.server.python('from streaming.models import Stream; print(Stream.objects.count())'));

it.each(['no-referrer', 'strict-origin-when-cross-origin'])('starts nothing, with the referrer policy %s', async (rule) => {
  policy = rule;
  browsers.allow(/./); // refusals appear in the console
  const visitor = await browsers.visitor();
  const over = new Set<string>(); // some as failures, because the browser hides the 403 from the foreign page
  const hear = (request: Request) => {
    const name = /spend-(\w+)/.exec(request.url())?.[1];
    if (name && new URL(request.url()).hostname === SITE) over.add(name);
  };
  visitor.on('requestfinished', hear).on('requestfailed', hear);
  const page = await visitor.newPage();
  await page.goto(`http://evil.test:${port}/`, { waitUntil: 'commit' });
  await expect.poll(() => [...over].toSorted()).toEqual(Object.keys(ATTACKS).toSorted());
  const left = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('spend-page')),
    page.evaluate((url) => location.assign(url), `http://${SITE}:${site.server.port}${START}-page`),
  ]);
  expect(left[0].status()).toBe(403);
  expect(countStreams()).toBe(0);
});

/** The response to the page's own request, up to the first piece of the answer. */
const readBy = {
  EventSource: (page: Page) =>
    page.evaluate(
      (path) =>
        new Promise<string>((resolve, reject) => {
          const source = new EventSource(path);
          source.addEventListener('start', (event) => {
            source.close();
            resolve(event.data as string);
          });
          source.addEventListener('error', () => reject(new Error('refused')));
        }),
      START,
    ),
  fetch: (page: Page) =>
    page.evaluate(async (path) => {
      const response = await fetch(path);
      return `${response.status} ${await response.text()}`;
    }, START),
};

it.each(['EventSource', 'fetch'] as const)("%s on the site's own pages starts an answer", async (way) => {
  browsers.allow(/Cross-Origin-Opener-Policy header has been ignored/); // on plain HTTP it is ignored
  const visitor = await browsers.visitor();
  const page = await visitor.newPage();
  await page.goto(`http://${SITE}:${site.server.port}/`);
  const before = countStreams();
  expect(await readBy[way](page)).toContain('"type":"start"');
  expect(countStreams()).toBe(before + 1);
});

it('a foreign page can embed nothing of the site, and one of a listed origin can read the API', async () => {
  browsers.allow(/./); // what is blocked appears in the console
  const visitor = await browsers.visitor();
  const page = await visitor.newPage();
  await page.goto(`${LISTED}/empty`);
  const origin = `http://${SITE}:${site.server.port}`;
  const embed = (tag: 'img' | 'script', path: string) =>
    page.evaluate(
      ([name, url]) =>
        new Promise<string>((resolve) => {
          const element = document.createElement(name as 'img' | 'script');
          element.addEventListener('load', () => resolve('loaded'));
          element.addEventListener('error', () => resolve('blocked'));
          element.src = url as string;
          document.head.append(element);
        }),
      [tag, origin + path],
    );
  expect(await embed('img', '/static/frontend/mark.svg')).toBe('blocked');
  expect(await embed('script', '/static/frontend/theme.js')).toBe('blocked');
  const read = (path: string) =>
    page.evaluate(async (url) => {
      const response = await fetch(url, { credentials: 'omit' });
      return `${response.status} ${await response.text()}`;
    }, origin + path);
  expect(await read('/api/config')).toContain('200 {"streaming"');
  expect(await read('/api/nothing')).toContain('"code": "not_found"');
});
