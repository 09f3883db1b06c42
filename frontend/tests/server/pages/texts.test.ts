/** Texts of every script, formulas and drawings, as people see them (`scripts/texts.json`). */
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { ask, untilAnswerHas, untilWire, useBrowser, useServer } from '../browser';

const browsers = useBrowser();
const site = useServer({ AI_MODEL: 'scripted:texts' });

const ARABIC = 'لماذا السماء زرقاء؟';
const JAPANESE = '空はなぜ青い';

async function answered(slug: string, prompt: string, options: BrowserContextOptions = {}): Promise<Page> {
  const visitor = await browsers.visitor({ permissions: ['clipboard-read', 'clipboard-write'], ...options });
  await visitor.addInitScript({ content: AXE });
  const page = await browsers.open(site.server, `/blocks/${slug}`, visitor);
  await ask(page, prompt);
  await untilWire(page, 'ended');
  return page;
}

/** Which side the words of an element stand on. */
function sideOf(element: Locator): Promise<'left' | 'right'> {
  return element.evaluate((each) => {
    const range = document.createRange();
    range.selectNodeContents(each);
    const [words, box] = [range.getBoundingClientRect(), each.getBoundingClientRect()];
    return words.left - box.left > box.right - words.right ? 'right' : 'left';
  });
}

function directionOf(element: Locator): Promise<string> {
  return element.evaluate((each) => getComputedStyle(each).direction);
}

describe('from right to left', () => {
  it('are the prompt, the answer and the row in the history; code is not', async () => {
    const page = await answered('ask-question', ARABIC);
    const answer = page.locator('.answer');
    for (const selector of ['h2', 'p >> nth=0', 'li >> nth=0', 'blockquote', 'td >> nth=0', 'th >> nth=0']) {
      expect([selector, await directionOf(answer.locator(selector).first())]).toEqual([selector, 'rtl']);
    }
    for (const selector of ['h2', 'p >> nth=0', 'blockquote p', 'td >> nth=0', 'td >> nth=1', 'th >> nth=1']) {
      expect([selector, await sideOf(answer.locator(selector).first())]).toEqual([selector, 'right']);
    }
    expect(await directionOf(page.locator('h1'))).toBe('rtl');
    for (const selector of ['pre', 'p code >> nth=0']) expect(await directionOf(answer.locator(selector))).toBe('ltr');
    expect(await directionOf(answer.locator('.prose > div > p').last())).toBe('ltr');

    // Markers and the rule of a quotation stand on the right, foreign items too.
    const list = answer.locator('ol');
    expect(await list.evaluate((each) => parseFloat(getComputedStyle(each).paddingRight) > 0)).toBe(true);
    expect(await answer.locator('blockquote').evaluate((each) => getComputedStyle(each).borderRightWidth)).toBe('2px');
    expect(await sideOf(answer.locator('li', { hasText: 'In English.' }).last())).toBe('right');

    await page.getByRole('link', { name: 'History' }).click();
    expect(await directionOf(page.locator('.row-prompt').first())).toBe('rtl');
    expect(await violationsOn(page)).toEqual([]);
  });

  it('is the field while one writes', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const field = page.locator('.composer textarea');
    await field.fill(ARABIC);
    expect(await directionOf(field)).toBe('rtl');
    await field.fill('Why?');
    expect(await directionOf(field)).toBe('ltr');
  });

  it('are a question with its options and marks', async () => {
    const page = await answered('quiz', 'Maths');
    const question = page.locator('.quiz-question').first();
    expect(await directionOf(question)).toBe('rtl');
    await question.locator('.quiz-option').first().click();
    const at = (selector: string) => question.locator(selector).first().evaluate((each) => each.getBoundingClientRect().x);
    expect(await at('.quiz-letter')).toBeGreaterThan(await at('.quiz-words'));
    expect(await sideOf(question.locator('.quiz-option', { hasText: 'In English.' }).locator('.quiz-words'))).toBe('right');
    expect(await directionOf(page.locator('.quiz-question').nth(1))).toBe('ltr');
    expect(await violationsOn(page)).toEqual([]);
  });
});

describe('Chinese, Japanese and Korean', () => {
  it('have bold, addresses and their language', async () => {
    const chunks: string[] = [];
    const page = await answered('ask-question', JAPANESE);
    const prose = page.locator('.answer .prose');
    expect(await prose.textContent()).not.toContain('*');
    expect(await prose.locator('strong').count()).toBe(3);
    expect(await prose.locator('a').evaluateAll((all) => all.map((each) => (each as HTMLAnchorElement).href))).toEqual([
      ...['https://example.org/a_b_c?x=1&y=2', 'https://example.org/b'],
    ]);
    expect(await page.locator('h1').getAttribute('lang')).toBe('ja');
    expect(await prose.getAttribute('lang')).toBe('ja');
    expect(await prose.locator('p', { hasText: '원칙입니다' }).getAttribute('lang')).toBe('ko');
    expect(await page.locator('html').getAttribute('lang')).toBe('en');

    // No formula, no drawing: nothing was loaded for them.
    chunks.push(...(await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))));
    expect(chunks.filter((name) => /katex|drawFormula|mermaid|FlowchartFigure/iu.test(name))).toEqual([]);
    expect(await violationsOn(page)).toEqual([]);
  });
});

/** The sources of the formulas that are drawn. */
function formulasIn(place: Locator): Promise<string[]> {
  return place.locator('.formula annotation').evaluateAll((all) => all.map(({ textContent }) => /^(?:\\\(|\\\[|\$\$?)([^]*?)(?:\\\)|\\\]|\$\$?)$/u.exec(textContent ?? '')?.[1]?.trim() ?? textContent ?? ''));
}

describe('formulas', () => {
  it.each(['ask-question', 'explain-eli10'])('are drawn in the answer of %s, in their own font', async (slug) => {
    const page = await answered(slug, 'Show formulas');
    const answer = page.locator('.answer');
    await expect.poll(() => formulasIn(answer)).toHaveLength(6);
    expect(await answer.textContent()).toContain('it costs $5 or $6');
    expect(await answer.locator('code:not(.formula-source)').allTextContents()).toEqual(['$x$']);
    expect(await answer.locator('.formula-source').allTextContents()).toEqual(['$\\broken{x}$']);
    expect(await answer.locator('.table-scroll .formula').count()).toBe(1);
    await expect
      .poll(() => page.evaluate(() => [...document.fonts].some(({ family, status }) => family.includes('KaTeX_Math') && status === 'loaded')))
      .toBe(true);
    // A long formula scrolls in its place.
    const [page_, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(page_).toBeLessThanOrEqual(screen ?? 0);
    expect(await violationsOn(page)).toEqual([]);

    await page.locator('.tools').getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('menuitem', { name: 'Copy Markdown' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('The energy is \\(E = mc^2\\), it costs $5 or $6');
  });

  it('are drawn in a quiz: in its title, questions, options and explanations, beside code and bold', async () => {
    const page = await answered('quiz', 'Maths');
    const questions = page.locator('.quiz-question');
    for (const question of await questions.all()) await question.locator('.quiz-option').first().click();
    await expect.poll(() => formulasIn(page.locator('.quiz-title'))).toEqual(['x']);
    await expect.poll(() => formulasIn(questions.first().locator('legend'))).toEqual(['x^2 = 4']);
    expect((await formulasIn(questions.first().locator('.quiz-options'))).toSorted()).toEqual(['x = 4', 'x = \\pm 2']);
    expect(await formulasIn(questions.first().locator('.quiz-why'))).toEqual(['2^2 = (-2)^2 = 4']);
    expect(await questions.nth(1).locator('legend code').textContent()).toBe('len([1, 2])');
    expect(await questions.nth(1).locator('legend strong').textContent()).toBe('why');
    expect(await questions.nth(1).locator('.quiz-option', { hasText: '$5 or $6' }).count()).toBe(1);
    expect(await page.locator('.answer .formula-source').count()).toBe(0);
    expect(await violationsOn(page)).toEqual([]);
  });

  it('are drawn in the text of a diagram, and are text in its drawing', async () => {
    const page = await answered('diagram', 'Energy');
    await page.getByRole('button', { name: 'Show as text' }).click();
    await expect.poll(() => formulasIn(page.locator('.diagram-text'))).toContain('c^2');
    expect(await page.locator('.diagram-text strong').count()).toBeGreaterThan(0);
    expect(await page.locator('.diagram-board svg').textContent()).toContain('$E$');
    expect(await page.locator('.diagram-board text[direction="rtl"]').count()).toBeGreaterThan(0);
    expect(await directionOf(page.locator('.diagram-text ol'))).toBe('rtl');
    expect(await violationsOn(page)).toEqual([]);
  });

  it('cannot be moved over the page around the answer', async () => {
    const page = await answered('ask-question', 'Move a formula away');
    await expect.poll(() => formulasIn(page.locator('.answer'))).toHaveLength(2);
    const covered = await page.evaluate(() => {
      const answer = document.querySelector('.answer')?.getBoundingClientRect();
      const letters = [...document.querySelectorAll('.answer .katex-html *')].map((each) => each.getBoundingClientRect());
      const outside = letters.filter(({ width, right, bottom }) => answer && width > 0 && (right < answer.left || bottom < answer.top));
      const at = (box: DOMRect) => document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return { outside: outside.length, covering: outside.map(at).filter((each) => each?.closest('.formula')).length };
    });
    expect(covered.outside).toBeGreaterThan(0);
    expect(covered.covering).toBe(0);
  });

  it('can be read on a phone at night: wide ones scroll, colours are not those of paper', async () => {
    const page = await answered('ask-question', 'A wide formula', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    const wide = page.locator('.answer .formula-wide');
    await expect.poll(() => wide.count()).toBe(1);
    expect(await page.locator('.answer .formula').count()).toBe(3);
    const { ends, edge, hidden } = await wide.evaluate((each) => ({
      ends: each.getBoundingClientRect().right,
      edge: each.closest('p')?.getBoundingClientRect().right ?? 0,
      hidden: each.scrollWidth - each.clientWidth,
    }));
    expect(ends).toBeLessThanOrEqual(edge);
    expect(hidden).toBeGreaterThan(0);
    // Black on black is no text.
    const black = page.locator('.answer .katex-html [style*="black"]').first();
    expect(await black.evaluate((each) => getComputedStyle(each).color)).not.toMatch(/\b0[, ]+0[, ]+0\b/u);
    // Nobody wrote a number.
    expect(await page.locator('.answer .eqn-num').first().evaluate((each) => getComputedStyle(each, '::before').content)).toBe('none');
    expect(await violationsOn(page)).toEqual([]);

    await page.setViewportSize({ width: 1280, height: 900 });
    await expect.poll(() => wide.count()).toBe(0);
  });

  it('show their source until their end arrives', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await ask(page, 'Write half a formula');
    await untilAnswerHas(page, 'a_1 * b');
    expect(await page.locator('.answer .formula-source').textContent()).toBe('\\[\\frac{a_1 * b');
    expect(await page.locator('.answer em').count()).toBe(0);
    await page.keyboard.press('Escape');
    await untilWire(page, 'stopped');
  });
});

describe('a fence of Mermaid', () => {
  it('is drawn whole, loads nothing, and shows its code on request', async () => {
    const page = await answered('ask-question', 'A flowchart');
    const drawing = page.locator('.answer .flowchart svg');
    await expect.poll(() => drawing.locator('.node').count()).toBe(6);
    expect(await drawing.locator('.cluster').count()).toBe(1);
    expect(await drawing.getAttribute('aria-label')).toContain('Cold enough? leads to Clouds (yes)');
    expect(await page.locator('.answer').getByText('javascript:window').isVisible()).toBe(false);
    const isWhole = await drawing.evaluate((svg) => {
      const box = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('.node')].every((node) => {
        const { left, right, top, bottom } = node.getBoundingClientRect();
        return left >= box.left - 1 && right <= box.right + 1 && top >= box.top - 1 && bottom <= box.bottom + 1;
      });
    });
    expect(isWhole).toBe(true);

    await page.getByRole('button', { name: 'Show code' }).click();
    expect(await page.locator('.answer').getByText('javascript:window').isVisible()).toBe(true);
    expect(await page.locator('.code-block', { hasText: 'sequenceDiagram' }).isVisible()).toBe(true);
    expect(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined();
    expect(await violationsOn(page)).toEqual([]);
  });
});
