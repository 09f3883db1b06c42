/** Answers that were written by hand, from one click on home to their end. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { onBothTransports, rowOf, seenOn, streamAt, TRANSPORT_WORDS, untilAnswerHas, untilWire, useBrowser } from '../browser';

const browsers = useBrowser();

async function showSample(page: Page, label: string): Promise<string> {
  await page.locator('.samples').getByRole('button', { name: label }).click();
  return streamAt(page);
}

onBothTransports(
  (site) => {
    it.each([
      ['Quiz', 'The oceans', '.quiz-question', 3],
      ['Diagram', 'How chocolate is made', '.diagram-view [data-part^="n"]', 7],
      ['Explanation with a formula', 'Why does a pendulum keep time?', '.answer math', 3],
    ])('one click shows the sample “%s” live, to its end', async (label, prompt, part, parts) => {
      const page = await browsers.open(site.server, '/');
      const streamId = await showSample(page, label);
      await page.getByRole('button', { name: 'Stop' }).waitFor();
      const facts = page.locator('.facts');
      await facts.getByText('Sample, written by hand').waitFor();
      await untilWire(page, 'ended');

      expect(await page.locator('h1').textContent()).toBe(prompt);
      await page.locator(part).nth(parts - 1).waitFor({ state: 'attached' });
      expect((await seenOn(page)).wires).toEqual(['waiting', 'live', 'ended']);
      expect(await facts.textContent()).toContain(TRANSPORT_WORDS[site.transport]);
      const row = await rowOf(page, streamId);
      expect(row).toMatchObject({ status: 'complete', finish_reason: 'stop', model: 'sample' });
      expect(Object.keys(row.dropped ?? {})).toEqual([]);
    });

    it('goes on after a reload, is marked everywhere, and Regenerate asks the model', async () => {
      const page = await browsers.open(site.server, '/');
      const sample = await showSample(page, 'Explanation with a formula');
      await untilAnswerHas(page, 'almost the same time');
      await page.reload();
      await untilWire(page, 'ended');
      await untilAnswerHas(page, 'the beat stays the same.');
      await page.locator('.facts', { hasText: 'Sample, written by hand' }).waitFor();

      await page.getByRole('button', { name: 'Regenerate' }).click();
      await page.waitForURL((url) => url.pathname.startsWith('/streams/') && !url.pathname.endsWith(sample));
      await untilWire(page, 'ended');
      expect(await page.locator('.facts').textContent()).not.toContain('Sample');
      const again = await rowOf(page, await streamAt(page));
      expect(again).toMatchObject({ sample: null, prompt: 'Why does a pendulum keep time?' });

      await page.getByRole('link', { name: 'History' }).click();
      await page.locator('.row').nth(1).waitFor();
      const rows = await page.locator('.row').allTextContents();
      expect(rows.map((words) => words.includes('Sample'))).toEqual([false, true]);
    });

    it('the line fits a phone, and its targets a finger', async () => {
      const visitor = await browsers.visitor({ viewport: { width: 360, height: 640 }, hasTouch: true });
      await visitor.addInitScript(AXE);
      const page = await browsers.open(site.server, '/', visitor);
      const buttons = page.locator('.samples').getByRole('button');
      await buttons.first().waitFor();
      const boxes = await Promise.all((await buttons.all()).map((button) => button.boundingBox()));
      expect(boxes).toHaveLength(3);
      expect(boxes.every((box) => box && box.height >= 24 && box.x >= 0 && box.x + box.width <= 360)).toBe(true);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      expect(await violationsOn(page)).toEqual([]);
    });
  },
  { AI_SAMPLES: 'always' },
);
