/** What a printer gets, in either theme: the answer alone, black on white. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { ask, untilWire, useBrowser, useServer } from '../browser';

const browsers = useBrowser();
const site = useServer();

/** The words and the buttons that are printed, and every colour in use. */
async function printed(page: Page) {
  await page.emulateMedia({ media: 'print' });
  return page.evaluate(() => {
    const isShown = (element: Element) => element.checkVisibility() && !element.closest('.visually-hidden');
    const all = [...document.querySelectorAll('body, body *')].filter((element) => isShown(element));
    const words = all.filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue?.trim()));
    const lightness = (colour: string) => Math.max(...(colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number));
    const clear = (colour: string) => /^rgba\(.*, 0\)$/.test(colour);
    const papers = all.map((element) => getComputedStyle(element).backgroundColor).filter((colour) => !clear(colour));
    return {
      text: words.map((element) => element.textContent?.trim()).join(' | '),
      controls: all.filter((element) => element.matches('button, .button, a.rail-mark, nav, .rail-foot, textarea')).length,
      darkestPaper: Math.min(255, ...papers.map(lightness)),
      palestWords: Math.max(...words.filter((element) => !element.closest('pre')).map((element) => lightness(getComputedStyle(element).color))),
    };
  });
}

/** The pages of a PDF of the page. */
async function pagesOf(page: Page): Promise<number> {
  const pdf = (await page.pdf({ format: 'A4' })).toString('latin1');
  return pdf.match(/\/Type\s*\/Page\b/g)?.length ?? 0;
}

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  const visit = () => browsers.visitor({ colorScheme });

  it('an answer', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question', await visit());
    await ask(page, 'Whatever you like');
    await untilWire(page, 'ended');
    const { text, controls, darkestPaper, palestWords } = await printed(page);
    expect(text).toMatch(/Whatever you like.*So the sky is blue/);
    expect(text).not.toMatch(/Live AI Blocks|History|Regenerate|SSE/);
    expect(controls).toBe(0);
    expect(darkestPaper).toBeGreaterThan(200);
    expect(palestWords).toBeLessThan(120);
    expect(await pagesOf(page)).toBe(1);
  });

  it('code: every line whole', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question', await visit());
    await page.setViewportSize({ width: 700, height: 990 });
    await ask(page, 'long code');
    await untilWire(page, 'ended');
    await page.locator('.code-block').waitFor();
    await printed(page);
    const ends = await page.evaluate(() => [...document.querySelectorAll('pre code')].map((code) => code.getBoundingClientRect().right));
    expect(Math.max(...ends)).toBeLessThanOrEqual(700);
  });

  it('the page of a block: nothing about keys', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz', await visit());
    await page.locator('.composer').waitFor();
    const { text, controls } = await printed(page);
    expect(text).not.toMatch(/Enter/);
    expect(controls).toBe(0);
  });

  it('a quiz: its key only if asked for, and then on a page of its own', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz', await visit());
    await page.addInitScript('window.print = () => {}');
    await ask(page, 'The planets');
    await untilWire(page, 'ended');
    await page.locator('.quiz-option', { hasText: 'Neptune' }).click();
    const marked = page.locator('.quiz-option[data-mark="missed"]');
    await marked.waitFor();

    const { text, controls, darkestPaper } = await printed(page);
    expect(text).toContain('Which planet wears the widest rings?');
    expect(text).not.toMatch(/ice and rock|Your answer|Answers|right|[Cc]orrect|another question/);
    expect(controls).toBe(0);
    expect(darkestPaper).toBeGreaterThan(200);
    const [right, other] = await page.evaluate(() =>
      ['[data-mark="missed"]', '[data-mark="none"]'].map((mark) => {
        const { backgroundColor, outlineStyle, fontWeight } = getComputedStyle(document.querySelector(`.quiz-option${mark}`)!);
        return [backgroundColor, outlineStyle, fontWeight];
      }),
    );
    expect(right).toEqual(other);
    const pages = await pagesOf(page);

    await page.emulateMedia({ media: null });
    await page.evaluate(() => {
      window.print = () => {};
    });
    await page.getByRole('button', { name: 'Print with answers' }).click();
    expect(await page.locator('.quiz-key').isVisible()).toBe(false); // on the screen
    expect((await printed(page)).text).toMatch(/Answers.*ice and rock/);
    expect(await pagesOf(page)).toBe(pages + 1);
    await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
    await page.locator('.quiz-key').waitFor({ state: 'detached' });
  });

  it('a diagram: the whole of it, also if the screen shows a part', async () => {
    const page = await browsers.open(site.server, '/blocks/diagram', await visit());
    await ask(page, 'How bread is baked');
    await untilWire(page, 'ended');
    await page.locator('.diagram-board svg').getByText('Let it cool').waitFor();
    for (let times = 0; times < 8; times += 1) await page.getByRole('button', { name: 'Zoom in' }).click();
    const { controls, darkestPaper } = await printed(page);
    expect(controls).toBe(0);
    expect(darkestPaper).toBeGreaterThan(200);
    const { drawing, board, fill } = await page.evaluate(() => ({
      drawing: document.querySelector('.diagram-board svg')!.getBoundingClientRect().toJSON() as DOMRect,
      board: document.querySelector('.diagram-board')!.getBoundingClientRect().toJSON() as DOMRect,
      fill: getComputedStyle(document.querySelector('.diagram-board .node text')!).fill,
    }));
    expect(fill).toBe('rgb(0, 0, 0)');
    expect(drawing.left).toBeGreaterThanOrEqual(board.left - 1);
    expect(drawing.right).toBeLessThanOrEqual(board.right + 1);
    expect(drawing.bottom).toBeLessThanOrEqual(board.bottom + 1);
    expect(await pagesOf(page)).toBe(1);
  });
});
