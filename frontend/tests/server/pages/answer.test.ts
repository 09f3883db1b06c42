/** The page of a text answer: what follows, what ends early, its menus. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { answerOn, ask, onBothTransports, rowOf, streamAt, untilAnswerHas, untilWire, useBrowser } from '../browser';

const browsers = useBrowser();
const SCRIPTED = { AI_MODEL: 'scripted:answers' };

const scrollOf = (page: Page) => page.evaluate(() => Math.round(window.scrollY));
const topOf = (page: Page, css: string) => page.evaluate((at) => document.querySelector(at)?.getBoundingClientRect().top, css);
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent?.trim());

onBothTransports((site) => {
  it('a reader at the start stays there; one who went to the end is kept at the end', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await ask(page, 'Write a long one');
    const jump = page.getByRole('button', { name: 'Jump to latest' });
    const stop = page.getByRole('button', { name: 'Stop' });
    await untilAnswerHas(page, 'Paragraph 1.');
    const place = await stop.boundingBox();
    await jump.waitFor();
    expect(await scrollOf(page)).toBe(0);
    expect((await stop.boundingBox())?.y).toBeCloseTo(place?.y ?? 0, -1);

    await jump.click();
    const at = await scrollOf(page);
    expect(at).toBeGreaterThan(0);
    await jump.waitFor({ state: 'detached' });
    await expect.poll(() => scrollOf(page)).toBeGreaterThan(at + 200);
    expect((await stop.boundingBox())?.y).toBeCloseTo(place?.y ?? 0, -1);

    await page.mouse.wheel(0, -400);
    await jump.waitFor();
    const left = await scrollOf(page);
    await untilAnswerHas(page, 'Paragraph 20.');
    expect(await scrollOf(page)).toBe(left);
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await jump.waitFor({ state: 'detached' });
    const end = await scrollOf(page);
    await expect.poll(() => scrollOf(page)).toBeGreaterThan(end);
  });

  it('on a narrow phone, Stop keeps its place, and no menu leaves the window', async () => {
    const phone = { viewport: { width: 320, height: 844 }, hasTouch: true, isMobile: true };
    const page = await browsers.open(site.server, '/blocks/ask-question', await browsers.visitor(phone));
    await ask(page, 'Write a long one');
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
    await page.getByRole('button', { name: 'Copy', exact: true }).waitFor();
    // The second row stands above it.
    const { y = 0, height = 0 } = (await page.getByRole('button', { name: 'Stop' }).boundingBox()) ?? {};
    expect(844 - y - height).toBeLessThan(24);
    for (const name of ['Copy', 'More']) {
      await page.getByRole('button', { name, exact: true }).tap();
      const { x = 0, width = 0 } = (await page.getByRole('menu').boundingBox()) ?? {};
      expect([x >= 0, x + width <= 320]).toEqual([true, true]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
      await page.keyboard.press('Escape');
    }
  });

  it('a stopped answer says so, and continues', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await ask(page, 'Please wait here');
    await untilAnswerHas(page, 'goes on.');
    await page.keyboard.press('Escape');
    await page.getByText('Stopped before it was finished.').waitFor();
    await page.getByRole('button', { name: 'Continue' }).waitFor();
  });

  it('an answer that was cut in mid-code continues as one answer', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const first = await ask(page, 'Be cut in the code');
    await page.getByText('This answer hit the length limit.').waitFor();
    await page.getByRole('button', { name: 'Continue' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    const second = await streamAt(page);
    expect(await page.evaluate(() => document.activeElement?.closest('.tools') !== null)).toBe(true);
    await untilAnswerHas(page, 'That is all of it.');
    await untilWire(page, 'ended');
    const isWhole = async () => {
      expect(await page.locator('.prose li').allTextContents()).toEqual(['first', 'second']);
      expect(await page.locator('.prose pre').allTextContents()).toEqual([expect.stringContaining('for planet in planets:')]);
      expect(await page.locator('h1').textContent()).toBe('Be cut in the code');
      expect(await page.getByRole('button', { name: 'Continue' }).count()).toBe(0);
    };
    await isWhole();
    const row = await rowOf(page, second);
    expect([row.continues, (await rowOf(page, first)).finish_reason]).toEqual([first, 'length']);

    await page.reload();
    await untilAnswerHas(page, 'That is all of it.');
    await isWhole();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy', exact: true }).last().click();
    await page.getByRole('menuitem', { name: 'Copy Markdown' }).click();
    const whole = `${(await rowOf(page, first)).text}${row.text}`;
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(whole);

    // Both streams are this answer.
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Delete…' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.waitForURL(/\/history$/);
    for (const id of [first, second]) {
      expect((await page.request.get(`${site.server.url}/api/streams/${id}`)).status()).toBe(404);
    }
  });

  it('an empty answer is not called kept, and has no link to copy', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await ask(page, 'Say nothing at all');
    await untilWire(page, 'failed');
    expect(await page.getByRole('alert').textContent()).toContain('empty_answer');
    expect(await page.getByRole('alert').textContent()).not.toContain('kept');
    expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(0);
  });

  it('an answer that runs is stopped and deleted', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const streamId = await ask(page, 'Please wait here');
    await untilAnswerHas(page, 'goes on.');
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Stop and delete…' }).click();
    expect(await focused(page)).toBe('Cancel');
    await page.keyboard.press('Escape');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('More');
    expect((await rowOf(page, streamId)).status).toBe('running');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Stop and delete' }).click();
    await page.waitForURL(/\/history$/);
    expect((await page.request.get(`${site.server.url}/api/streams/${streamId}`)).status()).toBe(404);
  });
}, SCRIPTED);

onBothTransports((site) => {
  it('the menus work by keyboard; text, Markdown and the link can be copied', async () => {
    const visitor = await browsers.visitor({ permissions: ['clipboard-read', 'clipboard-write'] });
    await visitor.addInitScript({ content: AXE });
    const page = await browsers.open(site.server, '/blocks/ask-question', visitor);
    const streamId = await ask(page, 'Repeat my title');
    await untilWire(page, 'ended');
    expect((await answerOn(page)).startsWith('A link')).toBe(true);
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    const copy = page.getByRole('button', { name: 'Copy', exact: true });

    await copy.focus();
    await page.keyboard.press('ArrowDown');
    expect(await focused(page)).toBe('Copy text');
    expect(await violationsOn(page)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await focused(page)).toBe('Copy');
    expect(await page.getByRole('menu').count()).toBe(0);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await copied()).toBe('Repeat my title\n\nA link, bold words.\n\n1. one\n2. two\n');

    await page.keyboard.press('ArrowUp');
    expect(await focused(page)).toBe('Copy linkOnly you can open it');
    await page.keyboard.press('Enter');
    await expect.poll(copied).toBe(`${site.server.url}/streams/${streamId}`);
    await page.keyboard.press('Enter');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await expect.poll(copied).toContain('**bold** words');

    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    await page.getByRole('menuitem', { name: 'Download Markdown' }).click();
    expect((await download).suggestedFilename()).toBe('repeat-my-title.md');
  });

  it('a long prompt opens and closes', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const prompt = Array.from({ length: 12 }, (_, at) => `Line ${at + 1} of a pasted text with enough words in it.`).join('\n');
    await ask(page, prompt);
    await untilWire(page, 'ended');
    const title = page.getByRole('heading', { level: 1 });
    expect((await title.textContent())?.length).toBeLessThan(210);
    await page.getByRole('button', { name: 'Show all' }).press('Enter');
    expect(await title.textContent()).toBe(prompt);
    await page.getByRole('button', { name: 'Show less' }).press('Enter');
    expect((await title.textContent())?.endsWith('…')).toBe(true);
  });

  it('the details are a list, and the first line does not move when they open', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await ask(page, 'Why?');
    await untilWire(page, 'ended');
    const top = await topOf(page, '.facts-kind');
    await page.getByText('Details', { exact: true }).click();
    expect(await page.locator('.facts dt').allTextContents()).toEqual(expect.arrayContaining(['Block', 'Model', 'Started in', 'Connection']));
    expect(await topOf(page, '.facts-kind')).toBe(top);
  });
}, SCRIPTED);
