/** A model that attacks its reader: nothing may run, and nothing may be loaded. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';

import { ask, onBothTransports, untilWire, useBrowser } from '../browser';
import { addAdminsBlocks } from './adminsBlocks';

const browsers = useBrowser();

onBothTransports((site) => {
  beforeAll(() => addAdminsBlocks(site.server));

  /**
   * Asks, then checks the answer live, complete and reloaded. `useBrowser` reports requests and
   * violations.
   */
  async function expectHarmless(slug: string, look: (page: Page, isReloaded: boolean) => Promise<void>): Promise<void> {
    const page = await browsers.open(site.server, `/blocks/${slug}`);
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => void dialogs.push(dialog.message()));
    page.on('popup', (popup) => void dialogs.push(popup.url()));
    await ask(page, 'Be hostile');
    await untilWire(page, 'ended');
    for (const isReloaded of [false, true]) {
      if (isReloaded) await page.reload();
      await look(page, isReloaded);
      expect(await page.evaluate(() => (window as unknown as { hacked?: string }).hacked)).toBeUndefined();
      const inside = await page.evaluate(() => {
        const forbidden = 'script, style, link, base, meta, iframe, object, embed, form, video, img, image, foreignObject, use, [style*="url("]';
        return {
          elements: [...document.querySelectorAll(`.answer :is(${forbidden})`)].map((each) => each.outerHTML),
          handlers: [...document.querySelectorAll('.answer *')]
            .flatMap((each) => each.getAttributeNames())
            .filter((name) => name.startsWith('on')),
          addresses: [...document.querySelectorAll('.answer [href], .answer [src]')].map(
            (each) => each.getAttribute('href') ?? each.getAttribute('src'),
          ),
          rels: [...document.querySelectorAll('.answer a')].map((each) => each.getAttribute('rel')),
        };
      });
      expect(inside.elements).toEqual([]);
      expect(inside.handlers).toEqual([]);
      for (const address of inside.addresses) expect(address).toMatch(/^(https?:\/\/|mailto:)/);
      for (const rel of inside.rels) expect(rel).toBe('noopener noreferrer nofollow');
    }
    expect(dialogs).toEqual([]);
  }

  it('markdown: markup is text, links lead to the web only, images become text', () =>
    expectHarmless('ask-question', async (page) => {
      await page.locator('.answer .prose', { hasText: 'The end of it.' }).waitFor();
      expect(await page.locator('.answer .prose').getByRole('link', { name: 'good' }).getAttribute('href')).toBe(
        'https://evil.example/fine',
      );
      expect(await page.locator('.answer').textContent()).toContain('click');
      expect(await page.locator('.answer table').count()).toBe(1);
      // Of forbidden commands only the source is shown. Of three diagrams, two can be drawn.
      await expect.poll(() => page.locator('.answer .formula').count()).toBe(1);
      expect(await page.locator('.answer .formula-source').count()).toBe(4);
      await expect.poll(() => page.locator('.answer .flowchart .node').count()).toBe(4);
      expect(await page.locator('.answer .code-block', { hasText: 'sequenceDiagram' }).count()).toBe(1);
      // Without a link there is nothing to follow.
      for (const name of ['click', 'data', 'coded', 'relative', 'vb', 'blob', 'by name']) {
        expect(await page.locator('.answer').getByRole('link', { name, exact: true }).count()).toBe(0);
      }
    }));

  it('a diagram: labels are labels', () =>
    expectHarmless('diagram', async (page) => {
      await expect
        .poll(() => page.locator('.diagram-board .node[data-part]').count())
        .toBe(8);
      const drawn = (await page.locator('.diagram-board svg').textContent()) ?? '';
      // Mermaid breaks a label into lines.
      const words = drawn.replaceAll(/\s/g, '');
      expect(words).toContain("%%{init:{'securityLevel':'loose'}}%%");
      expect(words).toContain('<imgsrc=https://evil.example/node.pngonerror=window.hacked=1>');
      expect(words).toContain('Sea["x"];clickn1"javascript:window.hacked=2"');
      expect(words).toContain('A@{img:"https://evil.example/at.png"}');
      expect(words).toContain('`**bold**![x](https://evil.example/md.png)`');
    }));

  it('a quiz: questions, options and explanations are text', () =>
    expectHarmless('quiz', async (page, isReloaded) => {
      const options = page.locator('.quiz-question').first().locator('.quiz-option');
      if (!isReloaded) await options.filter({ hasText: 'this' }).click();
      await page.locator('.quiz-why', { hasText: '<svg onload=window.hacked=3>' }).waitFor();
      expect(await page.locator('.answer').textContent()).toContain("<script>window.hacked='q'</script>");
    }));

  it('named fields: values are text', () =>
    expectHarmless('recipe', async (page) => {
      await page.getByText("<script>window.hacked='name'</script>").waitFor();
      expect(await page.locator('.answer a').count()).toBe(0);
    }));

  it('a hostile prompt is text, in its title and in the lists', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const prompt = `</title><img src=https://evil.example/p.png onerror="window.hacked='prompt'">`;
    await ask(page, prompt);
    await untilWire(page, 'ended');
    expect(await page.locator('h1').textContent()).toBe(prompt);
    await page.getByRole('link', { name: 'History' }).click();
    await page.locator('.row', { hasText: prompt }).waitFor();
    expect(await page.evaluate(() => (window as unknown as { hacked?: string }).hacked)).toBeUndefined();
  });

  it('the harness itself would see a script, a request and a breach', async () => {
    const page = await browsers.open(site.server, '/');
    await page.evaluate(() => {
      const picture = document.createElement('img');
      picture.src = 'https://evil.example/seen.png';
      document.body.append(picture);
    });
    await expect.poll(() => page.evaluate(() => (window as unknown as { seen: { violations: string[] } }).seen.violations.length)).toBe(1);
    const troubles = (await browsers.takeTroubles()).join('\n');
    expect(troubles).toContain('policy: img-src https://evil.example');
    expect(troubles).toContain('asked another site: https://evil.example/seen.png');
    expect(troubles).toContain('console: ');
  });
});
