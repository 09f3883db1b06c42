/** Runs axe-core on every page and in every state of an answer: both themes, desktop and phone. */
import { beforeAll, describe, expect, it } from 'vitest';

import type { TransportName } from '../../../src/ai';
import { AXE, violationsOn } from '../axe';
import { ask, onBothTransports, untilWire, useBrowser } from '../browser';
import { addAdminsBlocks } from './adminsBlocks';

const BLOCKS = ['ask-question', 'explain-eli10', 'quiz', 'diagram', 'recipe'];
const WHOLE = 'Whatever you like';

const browsers = useBrowser();

/** What is seen is the same over either transport. A full run looks at the other halves, too. */
const LOOKS: Record<TransportName, ['light' | 'dark', number][]> = {
  sse: [['dark', 390]],
  websocket: [['light', 1280]],
};
if (process.env['LIVEAI_FULL']) {
  LOOKS.sse.push(['light', 390]);
  LOOKS.websocket.push(['dark', 1280]);
}

onBothTransports((site) => {
  beforeAll(() => addAdminsBlocks(site.server));

  it('would find what is wrong', async () => {
    const visitor = await browsers.visitor();
    await visitor.addInitScript({ content: AXE });
    const page = await browsers.open(site.server, '/', visitor);
    await page.locator('.composer').waitFor();
    await page.evaluate(() => {
      const words = document.createElement('p');
      words.textContent = 'Hard to read';
      words.style.color = '#ccd6d6';
      document.querySelector('main')?.append(words, document.createElement('button'));
    });
    const found = (await violationsOn(page)).map((words) => words.split(':')[0]);
    expect(found.toSorted()).toEqual(['button-name', 'color-contrast']);
  });

  describe.each(LOOKS[site.transport])('in the %s theme, %i pixels wide', (colorScheme, width) => {
    const visit = async () => {
      const visitor = await browsers.visitor({ colorScheme, viewport: { width, height: 844 } });
      await visitor.addInitScript({ content: AXE });
      return visitor;
    };

    it.each(BLOCKS)('%s: before, during, stopped, complete', async (slug) => {
      const page = await browsers.open(site.server, `/blocks/${slug}`, await visit());
      await page.locator('.composer').waitFor();
      expect(await violationsOn(page)).toEqual([]);

      await ask(page, 'Please wait here');
      await untilWire(page, 'live');
      if (slug === 'diagram') await page.locator('.diagram-board .node').nth(2).waitFor();
      if (slug === 'quiz') await page.locator('.quiz-question').nth(1).waitFor();
      expect(await violationsOn(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await untilWire(page, 'stopped');
      expect(await violationsOn(page)).toEqual([]);

      await page.goto(`${site.server.url}/blocks/${slug}`);
      await ask(page, WHOLE);
      await untilWire(page, 'ended');
      if (slug === 'quiz') {
        await page.locator('.quiz-option', { hasText: 'Mercury' }).first().click();
        await page.locator('.quiz-option', { hasText: 'Neptune' }).click();
      }
      if (slug === 'diagram') await page.getByRole('button', { name: 'Show as text' }).click();
      expect(await violationsOn(page)).toEqual([]);
    });

    it('a model that thinks, and one that declines', async () => {
      const page = await browsers.open(site.server, '/blocks/ask-question', await visit());
      await ask(page, 'Please think first');
      await page.locator('.waiting', { hasText: /^Thinking/ }).waitFor();
      expect(await violationsOn(page)).toEqual([]);
      await untilWire(page, 'ended');
      expect(await violationsOn(page)).toEqual([]);

      await page.goto(`${site.server.url}/blocks/quiz`);
      await ask(page, 'please decline in Arabic');
      await page.locator('.refusal').waitFor();
      expect(await violationsOn(page)).toEqual([]);
    });

    it('home, history, errors, empty lists', async () => {
      const page = await browsers.open(site.server, '/history', await visit());
      await page.getByText('No questions yet').waitFor();
      expect(await violationsOn(page)).toEqual([]);

      await page.goto(`${site.server.url}/blocks/ask-question`);
      await ask(page, 'Please never begin');
      await untilWire(page, 'waiting');
      expect(await violationsOn(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await untilWire(page, 'stopped');

      await page.goto(`${site.server.url}/blocks/ask-question`);
      await ask(page, 'Please always fail');
      await untilWire(page, 'failed');
      expect(await violationsOn(page)).toEqual([]);

      await page.goto(`${site.server.url}/`);
      await page.locator('.home-recent .row').first().waitFor();
      expect(await violationsOn(page)).toEqual([]);

      await page.goto(`${site.server.url}/history`);
      await page.locator('.row').nth(1).waitFor();
      expect(await violationsOn(page)).toEqual([]);
      await page.getByRole('button', { name: /^Delete/ }).first().click();
      await page.getByRole('button', { name: 'Cancel' }).waitFor();
      expect(await violationsOn(page)).toEqual([]);

      browsers.allow(/status of 404/);
      await page.goto(`${site.server.url}/streams/${'x'.repeat(22)}`);
      await page.getByRole('heading', { name: 'Answer not found' }).waitFor();
      expect(await violationsOn(page)).toEqual([]);
      await page.goto(`${site.server.url}/blocks/no-such-block`);
      await page.getByRole('heading', { name: 'This block doesn’t exist' }).waitFor();
      expect(await violationsOn(page)).toEqual([]);
    });
  });
});
