/** A quiz that is answered while it is written: nothing moves, a choice can be undone, all by keyboard. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { ask, onBothTransports, rowOf, seenOn, untilWire, useBrowser } from '../browser';

const browsers = useBrowser();
const SCRIPTED = { AI_MODEL: 'scripted:answers' };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const question = (page: Page, at: number) => page.locator('.quiz-question').nth(at);
const optionOf = (page: Page, at: number, words: string) => question(page, at).locator('.quiz-option', { hasText: words });

/** The tops of a question's options, in the window. */
function topsOf(page: Page, at: number): Promise<number[]> {
  return question(page, at)
    .locator('.quiz-option')
    .evaluateAll((options) => options.map((option) => option.getBoundingClientRect().top));
}

onBothTransports((site) => {
  it('on a phone, nothing moves under the finger', async () => {
    const visitor = await browsers.visitor(PHONE);
    await visitor.addInitScript({ content: AXE });
    const page = await browsers.open(site.server, '/blocks/quiz', visitor);
    await ask(page, 'The planets, slowly');
    await question(page, 0).getByRole('radio').first().waitFor();
    const first = await topsOf(page, 0);
    await optionOf(page, 0, 'Mercury').tap();
    expect(await topsOf(page, 0)).toEqual(first);
    await question(page, 0).getByText('eighty-eight days').waitFor();
    expect(await topsOf(page, 0)).toEqual(first);
    expect((await seenOn(page)).said).toContain('Generating Question 1 can be answered.');

    // The next questions arrive, and the quiz ends.
    await question(page, 1).getByRole('radio').first().waitFor();
    expect(await topsOf(page, 0)).toEqual(first);
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await untilWire(page, 'ended');
    expect(await topsOf(page, 0)).toEqual(first);
    expect(await page.evaluate(() => window.scrollY)).toBe(0);

    // Answering the second takes the first one's Undo away, and its place stays.
    await optionOf(page, 1, 'Venus').scrollIntoViewIfNeeded();
    const second = await topsOf(page, 1);
    await optionOf(page, 1, 'Venus').tap();
    await question(page, 1).getByText('Wrong. The correct answer is').waitFor();
    expect(await topsOf(page, 1)).toEqual(second);
    expect(await violationsOn(page)).toEqual([]);
  });

  it('on a phone, no heading moves a question that can be answered', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz', await browsers.visitor(PHONE));
    await ask(page, 'The planets, untitled');
    await question(page, 0).getByRole('radio').first().waitFor();
    const first = await topsOf(page, 0);
    expect(await page.locator('.wire[data-state="live"]').count()).toBe(1);
    await untilWire(page, 'ended');
    expect(await topsOf(page, 0)).toEqual(first);
  });

  it('a wrong tap can be undone until the next question is answered', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz');
    await ask(page, 'The planets');
    await untilWire(page, 'ended');
    await optionOf(page, 0, 'Pluto').click();
    await question(page, 0).getByText('until you answer another question').waitFor();
    await page.reload();
    await question(page, 0).getByRole('button', { name: 'Undo' }).press('Enter');
    expect(await page.evaluate(() => document.activeElement?.closest('label')?.textContent)).toContain('Pluto');
    expect(await question(page, 0).locator('[data-mark=wrong]').count()).toBe(0);
    await page.reload();
    await question(page, 0).getByRole('radio').first().waitFor();
    expect(await question(page, 0).locator('[data-mark=wrong]').count()).toBe(0);

    await optionOf(page, 0, 'Mercury').click();
    await optionOf(page, 1, 'Saturn').click();
    expect(await question(page, 0).getByRole('button', { name: 'Undo' }).count()).toBe(0);
    await question(page, 1).getByRole('button', { name: 'Undo' }).waitFor();
    await optionOf(page, 0, 'Pluto').click({ force: true }); // it is no longer offered
    expect(await question(page, 0).locator('[data-mark=right]').count()).toBe(1);
  });

  it('a question that could not be used is written by a new stream, and the score counts all', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz');
    const first = await ask(page, 'Planets, one short');
    await page.getByText('2 of the 3 questions could be used.').waitFor();
    expect((await seenOn(page)).said.join()).toContain('2 of the 3 questions could be used');
    await optionOf(page, 0, 'Mercury').click();
    await page.getByRole('button', { name: 'Write another' }).press('Enter');
    await page.waitForURL((url) => /\/streams\//.test(url.pathname) && !url.pathname.endsWith(first));
    await question(page, 2).getByRole('radio').first().waitFor();
    await untilWire(page, 'ended');
    expect(await page.locator('.quiz-question small').allTextContents()).toEqual(['Question 1', 'Question 2', 'Question 3']);
    expect(await page.getByRole('button', { name: 'Write another' }).count()).toBe(0);
    await optionOf(page, 1, 'Mars').click();
    await optionOf(page, 2, 'Triton').click();
    await page.locator('.quiz-end', { hasText: '2 of 3 right' }).waitFor();

    await page.reload();
    await page.locator('.quiz-end', { hasText: '2 of 3 right' }).waitFor();
    expect(await page.locator('.quiz-title').textContent()).toBe('The planets of the Sun');
    await page.goto(`${site.server.url}/streams/${first}`);
    await page.locator('.quiz-end', { hasText: '2 of 2 right' }).waitFor();
    expect((await rowOf(page, first)).result?.['questions']).toHaveLength(2);
  });

  it('a quiz that could not be made says nothing of what was kept', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz');
    await ask(page, 'Write nonsense');
    await untilWire(page, 'failed');
    const words = await page.getByRole('alert').textContent();
    expect(words).toContain('invalid_output');
    expect(words).not.toContain('kept');
    expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(0);
  });
}, SCRIPTED);
