/**
 * The site under `/ai/` of a host. `tests/frontend/test_pages_under_a_path.py` starts the server and
 * its nginx.
 */
import { expect, it } from 'vitest';

import { ASK, answerOn, ask, LOST_LINES, streamAt, untilAnswerHas, untilWire, useBrowser } from '../browser';
import { CuttingProxy } from '../cuttingProxy';
import { LiveServer } from '../liveServer';
import { COUNTED } from './words';

const browsers = useBrowser();
const NGINX_PORT = Number(process.env['LIVEAI_NGINX_PORT']);
const HOST = { url: `http://127.0.0.1:${NGINX_PORT}` };
/** The server itself, without nginx. */
const SERVER = { url: `http://127.0.0.1:${process.env['LIVEAI_PATH_PORT']}` };

/** Fails if a page asks for anything outside of the path. */
async function visitor() {
  const context = await browsers.visitor();
  const outside: string[] = [];
  context.on('request', (request) => {
    const { pathname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && !pathname.startsWith('/ai/')) outside.push(pathname);
  });
  return { context, outside };
}

it('home, an answer, a reload, history, and a link', async () => {
  const { context, outside } = await visitor();
  const page = await browsers.open(HOST, '/ai/', context);
  await page.locator('.composer textarea').fill('Please count on');
  await page.getByRole('button', { name: ASK }).click();
  const streamId = await streamAt(page);
  expect(new URL(page.url()).pathname).toBe(`/ai/streams/${streamId}`);
  await untilAnswerHas(page, 'w050');
  await page.reload();
  await untilWire(page, 'live');
  await untilWire(page, 'ended');
  expect(await answerOn(page)).toBe(COUNTED);

  await page.getByRole('link', { name: 'History' }).click();
  await page.waitForURL(/\/ai\/history$/);
  await page.locator('.row-link').first().click();
  await page.waitForURL(/\/ai\/streams\/[\w-]+$/);
  expect(await answerOn(page)).toBe(COUNTED);
  await page.goBack();
  await page.waitForURL(/\/ai\/history$/);
  const signIn = page.getByRole('link', { name: 'Sign in' });
  expect(await signIn.getAttribute('href')).toBe('/ai/account/login/?next=%2Fai%2Fhistory');
  expect(outside).toEqual([]);
});

it('a diagram, whose parts are loaded later', async () => {
  const { context, outside } = await visitor();
  const page = await browsers.open(HOST, '/ai/blocks/diagram', context);
  await ask(page, 'How tea is made');
  await untilWire(page, 'ended');
  await page.locator('.answer svg').first().waitFor();
  expect(outside).toEqual([]);
});

it('a line that is cut continues at the exact word', async () => {
  const proxy = await CuttingProxy.listen(NGINX_PORT, { cutsAfterBytes: [3_000, 5_000] });
  try {
    browsers.allow(LOST_LINES);
    const page = await browsers.open(proxy, '/ai/blocks/ask-question');
    await ask(page, 'Please count on');
    await untilWire(page, 'ended');
    expect(proxy.cuts).toBe(2);
    expect(await answerOn(page)).toBe(COUNTED);
    await browsers.settle();
  } finally {
    await proxy.close();
  }
});

it('the admin panel: signing in leads back to the page', async () => {
  const { context, outside } = await visitor();
  const page = await browsers.open(HOST, '/ai/history', context);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.locator('#id_login').fill('admin');
  await page.locator('#id_password').fill(LiveServer.adminPassword);
  await page.locator('main button').click();
  await page.waitForURL(/\/ai\/history$/);
  const admin = page.getByRole('link', { name: 'Admin' });
  expect(await admin.getAttribute('href')).toBe('/ai/admin/');
  await admin.click();
  await page.waitForURL(/\/ai\/admin\/$/);
  await page.getByRole('link', { name: 'Block types' }).first().click();
  await page.waitForURL(/\/ai\/admin\/blocks\/blocktype\/$/);
  const cookies = await context.cookies(`${HOST.url}/ai/`);
  expect(cookies.map(({ path }) => path)).toEqual(cookies.map(() => '/ai'));
  expect(await context.cookies(`${HOST.url}/`)).toEqual([]);
  expect(outside).toEqual([]);
});

it('wrong addresses and slashes at the end', async () => {
  browsers.allow(/status of 404/);
  const { context, outside } = await visitor();
  const page = await browsers.open(HOST, '/ai/history/?status=error', context);
  await page.getByRole('heading', { name: 'History' }).waitFor();
  expect(page.url()).toBe(`${HOST.url}/ai/history?status=error`);
  const response = await page.goto(`${HOST.url}/ai/nothing/here`);
  expect(response?.status()).toBe(404);
  await page.getByRole('heading', { name: 'Page not found' }).waitFor();
  await page.getByRole('link', { name: 'Ask something' }).click();
  await page.waitForURL(`${HOST.url}/ai/`);
  expect(outside).toEqual([]);
});

it('on the port of the server itself, the pages find the path', async () => {
  const page = await browsers.open(SERVER, '/history?status=complete');
  await page.getByRole('heading', { name: 'History' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/ai/history');
  expect(new URL(page.url()).search).toBe('?status=complete');
});

it('on the port of the server itself, a first visitor can ask', async () => {
  const page = await browsers.open(SERVER, '/blocks/ask-question');
  await ask(page, 'Please count on');
  await untilWire(page, 'ended');
});

it('a proxy that shows the start page without its last slash', async () => {
  browsers.allow(/ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS/); // a routed page may open no socket
  const { context, outside } = await visitor();
  await context.route(`${HOST.url}/ai`, async (route) => {
    // As Traefik's `stripPrefix` does. The nginx of these tests redirects to `/ai/`.
    await route.fulfill({ response: await route.fetch({ url: `${SERVER.url}/` }) });
  });
  const page = await browsers.open(HOST, '/ai', context);
  expect(new URL(page.url()).pathname).toBe('/ai');
  await page.locator('.composer textarea').fill('Please count on');
  await page.getByRole('button', { name: /^Ask\b/ }).click();
  await streamAt(page);
  await untilWire(page, 'ended');
  expect(outside).toEqual(['/ai']);
});

it('files that can’t be loaded leave words, which name the setting', async () => {
  // A proxy at another path than the server knows: it removes `/else`, and has nothing at `/ai/`.
  const page = await browsers.open(SERVER, '/healthz');
  browsers.allow(/the server responded with a status of 404/);
  await page.route('**/*', async (route) => {
    const url = new URL(route.request().url());
    if (!url.pathname.startsWith('/else/')) return route.fulfill({ status: 404 });
    const response = await route.fetch({ url: SERVER.url + url.pathname.slice('/else'.length) });
    return route.fulfill({ response });
  });
  await page.goto(`${SERVER.url}/else/history`);
  await page.getByText('The files of this page could not be loaded.').waitFor();
  await page.getByText('Set SITE_PATH=/else/ and restart it.').waitFor();
});
