/** What an admin has switched off: streaming, a block, use without an account. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { answerOn, onBothTransports, seenOn, streamAt, untilWire, useBrowser, useServer } from '../browser';
import { LiveServer } from '../liveServer';
import { COUNTED } from './words';

const browsers = useBrowser();
const PHONE = { viewport: { width: 390, height: 640 } };
const field = (page: Page) => page.locator('.composer textarea');

/** Looks at every frame, as an eye does: how far the page has scrolled, and whether marks are visible. */
async function watchFrames(page: Page): Promise<() => Promise<{ scrolled: number; marks: string[] }>> {
  await page.evaluate(() => {
    const seen = { scrolled: 0, marks: [] as string[] };
    (window as unknown as { frames: typeof seen }).frames = seen;
    const look = () => {
      seen.scrolled = Math.max(seen.scrolled, scrollY);
      const text = document.querySelector<HTMLElement>('.answer')?.innerText ?? '';
      if (/##|\*\*|```/.test(text)) seen.marks.push(text.slice(0, 40));
      requestAnimationFrame(look);
    };
    look();
  });
  return () => page.evaluate(() => (window as unknown as { frames: { scrolled: number; marks: string[] } }).frames);
}

describe.each(['sse', 'websocket'])('over %s, with streaming off', (backend) => {
  const site = useServer({ STREAMING_BACKEND: backend, AI_STREAMING_ENABLED: 'false' });

  it('a long answer is read from its beginning, and no speed is claimed', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question', await browsers.visitor(PHONE));
    await page.locator('.rail-state', { hasText: 'Streaming is off: answers appear when finished' }).waitFor();
    const frames = await watchFrames(page);
    await field(page).fill('Please count on');
    await field(page).press('Enter');
    await page.locator('.waiting', { hasText: 'Streaming is off: the answer appears when it is finished' }).waitFor();
    await untilWire(page, 'ended');
    expect(await answerOn(page)).toBe(COUNTED);
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeGreaterThan(PHONE.viewport.height);
    expect((await frames()).scrolled).toBe(0);
    expect(await page.locator('main').textContent()).not.toContain('tokens/s');
    await page.reload();
    await untilWire(page, 'ended');
    expect(await page.locator('main').textContent()).not.toContain('tokens/s');
  });

  it('no markdown is seen before it is rendered, though the renderer comes late, neither at once nor later', async () => {
    const visitor = await browsers.visitor();
    const loading: (() => void)[] = [];
    await visitor.route('**/RichMarkdown-*.js', (route) => void loading.push(() => void route.continue()));
    const page = await browsers.open(site.server, '/blocks/ask-question', visitor);
    const expectNoMarks = async () => {
      const frames = await watchFrames(page);
      await page.locator('.prose-plain').waitFor({ state: 'attached' });
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      for (const load of loading.splice(0)) load();
      await page.getByRole('heading', { name: 'Why the sky is blue' }).waitFor();
      expect((await frames()).marks).toEqual([]);
    };
    await field(page).fill('Why is the sky blue?');
    await field(page).press('Enter');
    await expectNoMarks();
    await untilWire(page, 'ended');
    await page.reload();
    await expectNoMarks();
  });

  it('a quiz and a draft are whole, too', async () => {
    const page = await browsers.open(site.server, '/', await browsers.visitor(PHONE));
    await page.locator('.segment-choice', { hasText: 'Quiz' }).click();
    await field(page).fill('The planets');
    await page.reload();
    expect(await field(page).inputValue()).toBe('The planets');
    const frames = await watchFrames(page);
    await page.getByRole('button', { name: 'Make quiz' }).click();
    await untilWire(page, 'ended');
    expect((await frames()).scrolled).toBe(0);
    expect(await page.locator('.quiz-question').count()).toBe(3);
    expect(await page.locator('main').textContent()).not.toContain('tokens/s');
    expect((await seenOn(page)).wires.at(-1)).toBe('ended');
  });
});

onBothTransports((site) => {
  it('a block that is switched off keeps its draft until it returns', async () => {
    const page = await browsers.open(site.server, '/');
    await page.locator('.segment-choice', { hasText: 'Quiz' }).click();
    await page.locator('.segment-choice', { hasText: 'hard' }).click();
    await field(page).fill('Half a quiz');
    const switchQuiz = (isOn: 'True' | 'False') =>
      site.server.python(`from blocks.models import BlockType as B; B.objects.filter(slug='quiz').update(enabled=${isOn})`);
    const refresh = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    switchQuiz('False');
    await expect.poll(async () => (await refresh(), page.getByRole('radio', { name: 'Quiz' }).count())).toBe(0);
    expect(await field(page).inputValue()).toBe('Half a quiz');
    switchQuiz('True');
    await expect.poll(async () => (await refresh(), page.getByRole('radio', { name: 'Quiz' }).count())).toBe(1);
    expect(await page.getByRole('radio', { name: 'Quiz' }).isChecked()).toBe(true);
    expect(await page.getByRole('radio', { name: 'hard' }).isChecked()).toBe(true);
    expect(await field(page).inputValue()).toBe('Half a quiz');
  });
});

describe.each(['sse', 'websocket'])('over %s, for people with an account', (backend) => {
  const site = useServer({ STREAMING_BACKEND: backend, AI_ALLOW_ANONYMOUS: 'false' });

  it('a visitor’s question survives signing in, and the page leads there', async () => {
    browsers.allow(/status of 40[134]/, LOST_HANDSHAKE);
    const page = await browsers.open(site.server, '/');
    await page.locator('.segment-choice', { hasText: 'Diagram' }).click();
    await field(page).fill('How bread is baked');
    await page.locator('main').filter({ hasText: 'Your question is kept.' }).waitFor();
    await page.getByRole('link', { name: 'Sign in to ask' }).click();
    await signIn(page);
    await page.waitForURL(`${site.server.url}/`);
    expect(await field(page).inputValue()).toBe('How bread is baked');
    await page.getByRole('button', { name: 'Draw', exact: true }).click();
    await streamAt(page);
    await untilWire(page, 'ended');
  });

  it('a session that ends while something is typed loses nothing', async () => {
    browsers.allow(/status of 40[134]/, LOST_HANDSHAKE);
    const visitor = await browsers.visitor();
    const page = await browsers.open(site.server, '/account/login/?next=/', visitor);
    await signIn(page);
    await field(page).fill('Why is the sky blue?');
    await visitor.clearCookies({ name: 'sessionid' });
    await field(page).press('Enter');
    await page.getByRole('alert').filter({ hasText: 'Sign in to ask. Your question is kept.' }).waitFor();
    expect(await page.locator('main').textContent()).not.toMatch(/connection lost|can’t be reached/i);
    await page.getByRole('alert').getByRole('link', { name: 'Sign in' }).click();
    await signIn(page);
    await page.waitForURL('**/blocks/ask-question');
    expect(await field(page).inputValue()).toBe('Why is the sky blue?');
  });
});

const LOST_HANDSHAKE = /WebSocket connection to .* failed: .*403/;

async function signIn(page: Page): Promise<void> {
  await page.fill('#id_login', 'admin');
  await page.fill('#id_password', LiveServer.adminPassword);
  await page.click('main button');
  await field(page).waitFor();
}
