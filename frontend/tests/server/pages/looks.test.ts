/** The pages in the system's own colours, with letters of twice the size, and on phones. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { ask, untilWire, useBrowser, useServer } from '../browser';

const browsers = useBrowser();
/** Set to letters of twice the size, as people do in the settings of their browser. */
const largeBrowsers = useBrowser(['--blink-settings=defaultFontSize=32']);
const site = useServer();

async function asked(page: Page, slug: string, prompt: string, state = 'ended'): Promise<void> {
  await page.goto(`${site.server.url}/blocks/${slug}`);
  await ask(page, prompt);
  await untilWire(page, state);
}

describe.each(['light', 'dark'] as const)('forced colours, %s', (colorScheme) => {
  async function open(path: string): Promise<Page> {
    const context = await browsers.visitor({ colorScheme, forcedColors: 'active' });
    await context.addInitScript(AXE);
    return browsers.open(site.server, path, context);
  }

  /** The selectors of marks that are drawn only in the colour of the page, and so can't be seen. */
  const unseen = (page: Page, marks: string[]) =>
    page.evaluate((selectors) => {
      const probe = document.createElement('i');
      probe.style.cssText = 'color: Canvas; forced-color-adjust: none';
      document.body.append(probe);
      const canvas = getComputedStyle(probe).color;
      probe.remove();
      const isSeen = (colour: string) => colour !== canvas && !/^rgba\(.*, 0\)$|transparent/.test(colour);
      return selectors.filter((selector) => {
        const [element = '', pseudo] = selector.split('::');
        const found = document.querySelector(element);
        if (!found) return true;
        const style = getComputedStyle(found, pseudo && `::${pseudo}`);
        const lines = (['Top', 'Left'] as const).some(
          (side) => parseFloat(style[`border${side}Width`]) > 0 && style[`border${side}Style`] !== 'none' && isSeen(style[`border${side}Color`]),
        );
        const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 && isSeen(style.outlineColor);
        return !lines && !ring && !isSeen(style.backgroundColor);
      });
    }, marks);

  it('show what is chosen, and the focus', async () => {
    const page = await open('/blocks/quiz');
    await page.locator('.segment-choice').first().waitFor();
    await page.locator('.composer textarea').focus();
    const marks = ['.segment-choice:has(:checked)', '.rail-ways a[aria-current]', '.rail-themes button[aria-pressed="true"]', '.composer', '.stepper', '.composer-ask', '.rail-state i'];
    expect(await unseen(page, marks)).toEqual([]);
    expect(await violationsOn(page)).toEqual([]);
    // Each thing that Tab reaches has a ring around it, or around its frame.
    await page.locator('body').press('Tab');
    const bare: string[] = [];
    for (let at = 0; at < 12; at += 1) {
      bare.push(
        ...(await page.evaluate(() => {
          const focused = document.activeElement;
          const around = [focused, focused?.parentElement, focused?.closest('.composer, .stepper, .segment-choice')];
          const isRinged = around.some((element) => element && getComputedStyle(element).outlineStyle === 'solid');
          return isRinged ? [] : [focused?.outerHTML.slice(0, 90) ?? ''];
        })),
      );
      await page.keyboard.press('Tab');
    }
    expect(bare).toEqual([]);
  });

  it('show every state of the wire', async () => {
    const page = await open('/');
    await asked(page, 'ask-question', 'Please count on', 'live');
    expect(await unseen(page, ['.wire::before', '.wire-head'])).toEqual([]);
    await page.keyboard.press('Escape');
    await untilWire(page, 'stopped');
    expect(await unseen(page, ['.wire::before', '.wire-head'])).toEqual([]);
    await asked(page, 'ask-question', 'Please always fail', 'failed');
    expect(await unseen(page, ['.wire::before', '.wire-head'])).toEqual([]);
    await page.goto(`${site.server.url}/history`);
    await page.locator('.row').nth(1).waitFor();
    expect(await unseen(page, ['.wire-mark[data-state="failed"]', '.wire-mark[data-state="stopped"]'])).toEqual([]);
    expect(await violationsOn(page)).toEqual([]);
  });

  it('show the marks of a quiz', async () => {
    const page = await open('/');
    await asked(page, 'quiz', 'The planets');
    await page.locator('.quiz-option', { hasText: 'Mercury' }).first().click();
    await page.locator('.quiz-option', { hasText: 'Neptune' }).click();
    expect(await unseen(page, ['.quiz-option[data-mark="right"]', '.quiz-option[data-mark="missed"]'])).toEqual([]);
    expect(await violationsOn(page)).toEqual([]);
  });

  it('show a diagram: boxes, lines and words', async () => {
    const page = await open('/');
    await asked(page, 'diagram', 'How bread is baked');
    await page.locator('.diagram-board svg').getByText('Let it cool').waitFor();
    const colours = await page.evaluate(() => {
      const style = (selector: string) => getComputedStyle(document.querySelector(`.diagram-board ${selector}`)!);
      return {
        paper: style('.node .label-container').fill,
        visible: [style('.node .label-container').stroke, style('.node text').fill, style('.flowchart-link').stroke, style('.edgeLabel text').fill, style('.arrowMarkerPath').fill],
      };
    });
    expect(colours.visible).not.toContain(colours.paper);
    expect(new Set(colours.visible).size).toBe(1);
    expect(await violationsOn(page)).toEqual([]);
  });
});

describe('letters of twice the size, in a window of 320 pixels', () => {
  /** Doubles the size of every word, as browsers do that enlarge text alone. */
  const enlarge = (page: Page) =>
    page.evaluate(() => {
      const isWritten = (element: Element) =>
        element.matches('input, select, textarea') || [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue?.trim());
      const written = [...document.querySelectorAll<HTMLElement>('body *')].filter((element) => !element.closest('svg') && isWritten(element));
      const sizes = written.map((element) => parseFloat(getComputedStyle(element).fontSize));
      for (const [at, element] of written.entries()) element.style.setProperty('font-size', `${sizes[at]! * 2}px`, 'important');
    });

  /** Pairs of links and buttons that lie on each other. */
  const overlaps = (page: Page) =>
    page.evaluate(() => {
      const controls = [...document.querySelectorAll<HTMLElement>('a, button, .diagram-board .node')].filter(
        (element) => element.checkVisibility() && !element.closest('.page-skip, .rail-blocks, .visually-hidden') && element.getBoundingClientRect().width > 0,
      );
      return controls.flatMap((one, at) =>
        controls.slice(at + 1).flatMap((other) => {
          const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
          const isApart = a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
          return isApart || one.contains(other) || other.contains(one) ? [] : [`${one.textContent} / ${other.textContent}`];
        }),
      );
    });

  const PAGES: [string, (page: Page) => Promise<void>][] = [
    ['home', async (page) => page.locator('.composer textarea').waitFor()],
    ['a quiz', async (page) => asked(page, 'quiz', 'The planets')],
    ['an answer', async (page) => asked(page, 'ask-question', 'Whatever you like')],
    ['a failed answer', async (page) => asked(page, 'ask-question', 'Please always fail', 'failed')],
    [
      'a diagram',
      async (page) => {
        await asked(page, 'diagram', 'How bread is baked');
        await page.locator('.diagram-board svg').getByText('Let it cool').waitFor();
      },
    ],
    [
      'history',
      async (page) => {
        await asked(page, 'ask-question', 'Whatever you like');
        await page.goto(`${site.server.url}/history`);
        await page.locator('.row').first().waitFor();
      },
    ],
  ];

  it.each(PAGES)('%s', async (_, show) => {
    const context = await browsers.visitor({ viewport: { width: 320, height: 640 } });
    await context.addInitScript(AXE);
    const page = await browsers.open(site.server, '/', context);
    await show(page);
    await enlarge(page);
    await expect.poll(() => overlaps(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    expect(await violationsOn(page)).toEqual([]);
  });

  it.each(PAGES)('%s, on a phone whose browser is set to them', async (_, show) => {
    const context = await largeBrowsers.visitor({ viewport: { width: 390, height: 844 } });
    await context.addInitScript(AXE);
    const page = await largeBrowsers.open(site.server, '/', context);
    await show(page);
    const sizes = await page.evaluate(() => ['h1', 'body'].map((name) => parseFloat(getComputedStyle(document.querySelector(name)!).fontSize)));
    expect(sizes).toEqual([expect.toSatisfy((size: number) => size >= 48), 32]);
    await expect.poll(() => overlaps(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    expect(await violationsOn(page)).toEqual([]);
  });
});

describe('a phone', () => {
  it('does not zoom into the fields of the history, and shows the times', async () => {
    const context = await browsers.visitor({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const page = await browsers.open(site.server, '/', context);
    await asked(page, 'ask-question', 'Whatever you like');
    await page.goto(`${site.server.url}/history`);
    await page.locator('.row time').getByText('now').waitFor();
    const sizes = await page.evaluate(() => [...document.querySelectorAll('input, select')].map((field) => parseFloat(getComputedStyle(field).fontSize)));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(16);
    expect(sizes.length).toBe(3);
    await page.goto(`${site.server.url}/`);
    await page.locator('.home-recent .row time').first().waitFor();
  });
});
