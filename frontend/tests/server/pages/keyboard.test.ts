/** Everything by keyboard alone. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';

import { ask, onBothTransports, untilAnswerHas, untilWire, useBrowser } from '../browser';

const browsers = useBrowser();
const TABS = 40;

/** Presses Tab until the locator is focused, and checks that every stop on the way is visible. */
async function tabTo(page: Page, what: { css: string; words?: string }): Promise<void> {
  for (let press = 0; press < TABS; press += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(({ css, words }) => {
      const focused = document.activeElement;
      if (!focused || focused === document.body) return { isThere: false, invisible: '' };
      const isField = focused.matches('textarea, input[type=search]');
      // The focus ring of a radio button is on its label, that of a field on its frame.
      const places = [focused, focused.closest('label'), isField ? focused.closest('form') : null].filter((each) => each !== null);
      const isVisible = places.some((place) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(place);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
      });
      const isThere = focused.matches(css) && (focused.textContent ?? '').includes(words ?? '');
      return { isThere, invisible: isVisible ? '' : focused.outerHTML.slice(0, 200) };
    }, what);
    expect(stop.invisible, 'the focus can be seen').toBe('');
    if (stop.isThere) return;
  }
  throw new Error(`${TABS} tabs do not lead to ${what.css}.`);
}

onBothTransports((site) => {
  it('from the address bar to an answered quiz', async () => {
    const page = await browsers.open(site.server, '/');
    await page.locator('.composer').waitFor();
    await tabTo(page, { css: '.rail a', words: 'Quiz' });
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Quiz' }).waitFor();
    await tabTo(page, { css: 'textarea' });
    await page.keyboard.type('The planets');
    await page.keyboard.press('Control+Enter');
    await page.waitForURL(/\/streams\//);

    // The first question can be answered while others are written, and the focus stays there.
    await page.locator('.quiz-question').first().getByRole('radio').first().waitFor();
    await tabTo(page, { css: '.quiz-question input' });
    const wordsOfFocused = () =>
      page.evaluate(() => document.activeElement?.closest('label')?.querySelector('.quiz-words')?.textContent);
    for (let press = 0; press < 4 && (await wordsOfFocused()) !== 'Mercury'; press += 1) {
      await page.keyboard.press('ArrowDown');
    }
    expect(await page.locator('.quiz-question').first().getByText('Right', { exact: true }).count()).toBe(0);
    await page.keyboard.press('Space');
    await page.locator('.quiz-question').first().getByText('Right', { exact: true }).waitFor();
    await untilWire(page, 'ended');
    expect(await wordsOfFocused()).toBe('Mercury');

    for (const [at, last] of [1, 2].entries()) {
      await tabTo(page, { css: `.quiz-question:nth-of-type(${last + 1}) input` });
      await page.keyboard.press(at === 0 ? 'Space' : 'Enter');
    }
    await page.locator('.quiz-end', { hasText: /of 3 right/ }).waitFor();
    await tabTo(page, { css: '.quiz-end button' });
    await page.keyboard.press('Enter');
    expect(await wordsOfFocused()).toBeDefined();
  });

  it('Enter asks, Shift and Enter break the line, Esc stops, and the focus stays on the page', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await tabTo(page, { css: 'textarea' });
    await page.keyboard.type('Please count on');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('and on');
    expect(await page.locator('textarea').inputValue()).toBe('Please count on\nand on');
    await page.keyboard.press('Enter');
    await untilAnswerHas(page, 'w020');
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
    await tabTo(page, { css: 'button', words: 'Stop' });
    await page.keyboard.press('Escape');
    await untilWire(page, 'stopped');
    expect(await page.evaluate(() => document.activeElement?.closest('.tools') !== null)).toBe(true);
    await tabTo(page, { css: 'button', words: 'Ask something else' });
    await page.keyboard.press('Enter');
    await page.locator('textarea:focus').waitFor();
  });

  it('typed text stays in its field while the page changes around it', async () => {
    const visitor = await browsers.visitor();
    const page = await browsers.open(site.server, '/blocks/ask-question', visitor);
    await ask(page, 'Please count on');
    const list = await browsers.open(site.server, '/history', visitor);
    await list.locator('.row').waitFor();
    await tabTo(list, { css: 'input[type=search]' });
    await list.keyboard.type('please COUNT', { delay: 40 });
    await list.waitForURL(/q=please\+COUNT/);
    await list.keyboard.type(' on');
    await list.waitForURL(/q=please\+COUNT\+on/);
    expect(await list.locator('input[type=search]').inputValue()).toBe('please COUNT on');
    expect(await list.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('search');
    await list.locator('.row').waitFor();
    await list.keyboard.type(' nothing');
    await list.getByText('No matches').waitFor();
  });
});
