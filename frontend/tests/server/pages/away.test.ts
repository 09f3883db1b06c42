/** No connection when something is asked: the page says why, keeps the question, and sends it later. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { ASK, answerOn, ask, LOST_LINES, onBothTransports, setOffline, streamAt, untilAnswerHas, untilWire, useBrowser, useServer } from '../browser';
import { CuttingProxy } from '../cuttingProxy';
import { COUNTED } from './words';

const browsers = useBrowser();
const field = (page: Page) => page.locator('.composer textarea');
const foot = (page: Page, words: string) => page.locator('.rail-state', { hasText: words }).waitFor();
const note = (page: Page, words: string) => page.locator('.note', { hasText: words }).waitFor();
const LIVE = 'Live over';

/** Asks on home, where the kind is chosen. */
async function askOnHome(page: Page, prompt: string): Promise<void> {
  await field(page).fill(prompt);
  await page.getByRole('button', { name: ASK }).click();
}

async function countOf(page: Page): Promise<number> {
  const list = await page.request.get(new URL('/api/streams', page.url()).href);
  return ((await list.json()) as { results: unknown[] }).results.length;
}

onBothTransports((site) => {
  it('offline: the foot and the note say so, Back finds the question, and it is sent once when the network is back', async () => {
    browsers.allow(LOST_LINES);
    const proxy = await CuttingProxy.listen(site.server.port, { cutsAfterBytes: [] });
    const page = await browsers.open(proxy, '/');
    await foot(page, LIVE);
    proxy.goDown();
    await setOffline(page, true);
    await foot(page, 'You’re offline');
    await askOnHome(page, 'Please count on');
    await note(page, 'You’re offline. Your question is kept. It will be sent when you’re back online.');
    await page.goBack();
    expect(await field(page).inputValue()).toBe('Please count on');
    await page.getByRole('button', { name: ASK }).click();
    await note(page, 'You’re offline. Your question is kept.');

    proxy.comeBack();
    await setOffline(page, false);
    await untilWire(page, 'ended');
    await foot(page, LIVE);
    expect(await answerOn(page)).toBe(COUNTED);
    expect(await countOf(page)).toBe(1);
    await page.goBack();
    await field(page).waitFor();
    expect(await field(page).inputValue()).toBe('');
    await browsers.settle();
    await proxy.close();
  });

  it('the server is down: the foot and the note say so; a stop keeps the question; else it is sent by itself', async () => {
    browsers.allow(LOST_LINES);
    const page = await browsers.open(site.server, '/');
    await foot(page, LIVE);
    await site.server.kill();
    await askOnHome(page, 'Please count on');
    await note(page, 'The server can’t be reached. Your question is kept.');
    await foot(page, 'The server can’t be reached');
    await page.keyboard.press('Escape');
    await untilWire(page, 'stopped');
    await note(page, 'Your question wasn’t sent.');
    await page.getByRole('button', { name: 'Ask something else' }).click();
    expect(await field(page).inputValue()).toBe('Please count on');
    await page.getByRole('button', { name: ASK }).click();
    await note(page, 'The server can’t be reached. Your question is kept.');

    await site.server.listen();
    await untilAnswerHas(page, 'w300');
    await untilWire(page, 'ended');
    await foot(page, LIVE);
    expect(await answerOn(page)).toBe(COUNTED);
    expect(await countOf(page)).toBe(1);
  });

  it.each(['Back', 'a reload'])('a question whose answer is lost on the way is one question, asked again after %s', async (way) => {
    browsers.allow(LOST_LINES);
    const proxy = await CuttingProxy.listen(site.server.port, { cutsAfterBytes: [] });
    const page = await browsers.open(proxy, '/');
    await foot(page, LIVE);
    proxy.swallowAnswers();
    await askOnHome(page, 'Please count on');
    await expect.poll(() => countOf(page)).toBe(1); // the server has taken it
    proxy.goDown();
    proxy.comeBack();
    if (way === 'Back') await page.goBack();
    else await page.reload();
    expect(await field(page).inputValue()).toBe('Please count on');
    proxy.deliverAnswers();
    await page.getByRole('button', { name: ASK }).click();
    await untilAnswerHas(page, 'w300');
    await untilWire(page, 'ended');
    expect(await countOf(page)).toBe(1);
    await browsers.settle();
    await proxy.close();
  });

  it('a draft survives a reload after the server was down, and an answer’s foot says that it is', async () => {
    browsers.allow(LOST_LINES);
    const visitor = await browsers.visitor();
    const page = await browsers.open(site.server, '/', visitor);
    await field(page).fill('Half a que');
    const other = await browsers.open(site.server, '/blocks/ask-question', visitor);
    await ask(other, 'Please count on');
    await untilAnswerHas(other, 'w010');
    await site.server.kill();
    await note(other, 'Connection lost.');
    await foot(other, 'The server can’t be reached');
    await site.server.listen();
    await untilWire(other, 'ended');
    await foot(other, LIVE);
    await page.reload();
    expect(await field(page).inputValue()).toBe('Half a que');
  });
});

describe.each(['sse', 'websocket'])('over %s, with one place', (backend) => {
  const site = useServer({ STREAMING_BACKEND: backend, STREAM_MAX_RUNNING: '1', STREAM_MAX_WAITING: '0', LIMIT_ANONYMOUS_SHARE: '100' });

  it('the server is full: the note says when it tries again, nothing is lost, and the question is sent by itself', async () => {
    browsers.allow(/status of 503/);
    const first = await browsers.open(site.server, '/blocks/ask-question');
    await ask(first, 'Please wait here');
    await untilWire(first, 'live');

    const page = await browsers.open(site.server, '/');
    await askOnHome(page, 'Please count on');
    await page.locator('.note', { hasText: /^The server is full\. .*Your question is kept; trying again (in \d+ s|now)\.$/ }).waitFor();
    await foot(page, LIVE);
    await page.reload();
    expect(await field(page).inputValue()).toBe('Please count on');
    await page.goto(`${site.server.url}/`);
    expect(await field(page).inputValue()).toBe('Please count on');
    await page.getByRole('button', { name: ASK }).click();
    await note(page, 'The server is full.');
    expect(await page.locator('main').textContent()).not.toMatch(/connection lost|still being written|offline/i);

    await first.keyboard.press('Escape');
    await untilWire(first, 'stopped');
    await streamAt(page);
    await untilWire(page, 'ended');
    expect(await answerOn(page)).toBe(COUNTED);
    expect(await countOf(page)).toBe(1);
  });
});

describe('over sse, refused', () => {
  const site = useServer({ STREAMING_BACKEND: 'sse', AI_STREAMING_FALLBACK: 'false' });

  it.each([
    [400, 'invalid_input'],
    [401, 'not_authenticated'],
    [403, 'forbidden'],
    [413, 'prompt_too_long'],
    [429, 'quota_exceeded'],
    [503, 'over_capacity'],
    [502, ''], // a proxy's own page
  ])('%i %s: what was typed on home is there again after Back and after a reload', async (status, code) => {
    browsers.allow(/the server responded with a status of/);
    const page = await browsers.open(site.server, '/');
    const body = code === '' ? '<h1>Bad Gateway</h1>' : JSON.stringify({ code, detail: `No: ${code}.`, status });
    const headers: Record<string, string> = status === 429 ? { 'Retry-After': '3600' } : {};
    await page.route('**/api/stream/ai-block/*', (route) =>
      route.fulfill({ status, body, headers, contentType: code === '' ? 'text/html' : 'application/problem+json' }),
    );
    await page.locator('.segment-choice', { hasText: 'Quiz' }).click();
    await askOnHome(page, 'The planets');
    await page.locator('.note, .composer-problem').first().waitFor();
    expect(await page.locator('main').textContent()).not.toMatch(/connection lost|answer may/i);
    await page.reload();
    expect(await field(page).inputValue()).toBe('The planets');
    await page.goBack();
    await page.getByRole('heading', { name: 'What would you like to understand?' }).waitFor();
    expect(await field(page).inputValue()).toBe('The planets');
    expect(await page.getByRole('radio', { name: 'Quiz' }).isChecked()).toBe(true);
  });
});
