/** How diagrams lie on boards of different widths, and on the whole screen. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { ask, untilWire, useBrowser, useServer } from '../browser';

const browsers = useBrowser();
const LABELS = ['Mix the flour and water', 'Let the dough rise', 'Shape a loaf', 'Heat the oven', 'Bake it', 'Let it cool'];

interface Laid {
  /** In the order of the labels. */
  boxes: { x: number; y: number; right: number }[];
  /** Of the smallest words, as they appear; CSS pixels. */
  smallest: number;
  board: { left: number; right: number };
}

/** Waits until the drawing is whole and at rest. */
async function laidOut(page: Page, direction: 'LR' | 'TD'): Promise<Laid> {
  const read = () =>
    page.evaluate((labels): Laid => {
      const board = document.querySelector('.diagram-board')!;
      const nodes = [...board.querySelectorAll('.node')];
      const boxes = labels.flatMap((label) => {
        const box = nodes.find((node) => node.textContent === label)?.getBoundingClientRect();
        return box ? [{ x: Math.round(box.x), y: Math.round(box.y), right: box.right }] : [];
      });
      const sizes = [...board.querySelectorAll('text')].map(
        (text) => parseFloat(getComputedStyle(text).fontSize) * (text.getScreenCTM()?.a ?? 0),
      );
      const { left, right } = board.getBoundingClientRect();
      return { boxes, smallest: Math.min(...sizes), board: { left, right } };
    }, LABELS);
  const axis = direction === 'LR' ? 'x' : 'y';
  await expect
    .poll(async () => {
      const places = (await read()).boxes.map((box) => box[axis]);
      return places.length === LABELS.length && places.every((place, at) => at === 0 || place > places[at - 1]! + 20);
    })
    .toBe(true);
  return read();
}

async function draw(width: number, path = '/blocks/diagram') {
  const context = await browsers.visitor({ viewport: { width, height: 800 } });
  await context.addInitScript(AXE);
  const page = await browsers.open(site.server, path, context);
  await ask(page, 'How bread is baked');
  await untilWire(page, 'ended');
  return page;
}

const site = useServer();

describe('a diagram', () => {
  it.each([1280, 1920])('runs from left to right in a window of %i pixels, whole and legible', async (width) => {
    const page = await draw(width);
    const { boxes, smallest, board } = await laidOut(page, 'LR');
    expect(smallest).toBeGreaterThanOrEqual(12);
    expect(Math.min(...boxes.map(({ x }) => x))).toBeGreaterThan(board.left);
    expect(Math.max(...boxes.map(({ right }) => right))).toBeLessThan(board.right);
  });

  it.each([320, 390, 1000])('runs from top to bottom in a window of %i pixels, and is legible', async (width) => {
    const page = await draw(width);
    expect((await laidOut(page, 'TD')).smallest).toBeGreaterThanOrEqual(12);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });

  it('changes its direction with the width of the window', async () => {
    const page = await draw(1280);
    await laidOut(page, 'LR');
    const height = () => page.locator('.diagram-board').evaluate((board) => board.clientHeight);
    const before = await height();
    await page.setViewportSize({ width: 700, height: 800 });
    await laidOut(page, 'TD');
    expect(await height()).toBeGreaterThan(before);
    await page.setViewportSize({ width: 1280, height: 800 });
    await laidOut(page, 'LR');
    expect(await height()).toBe(before);
  });

  it('keeps the words of a label apart where they are copied', async () => {
    const page = await draw(1280);
    await laidOut(page, 'LR');
    await page.locator('.diagram-board svg').getByText('Let the dough rise', { exact: true }).waitFor();
  });
});

describe('a large diagram', () => {
  /** Waits until the drawing of so many nodes lies on its board, whole and legible. */
  async function untilWhole(page: Page, nodes: number): Promise<void> {
    const read = () =>
      page.evaluate(() => {
        const board = document.querySelector('.diagram-board')!;
        const frame = board.getBoundingClientRect();
        const boxes = [...board.querySelectorAll('.node')].map((node) => node.getBoundingClientRect());
        const outside = boxes.filter(
          ({ left, right, top, bottom }) => left < frame.left || right > frame.right || top < frame.top || bottom > frame.bottom,
        );
        const sizes = [...board.querySelectorAll('text')].map((text) => parseFloat(getComputedStyle(text).fontSize) * (text.getScreenCTM()?.a ?? 0));
        return { nodes: boxes.length, outside: outside.length, isLegible: Math.min(...sizes) >= 12 };
      });
    await expect.poll(read).toEqual({ nodes, outside: 0, isLegible: true });
  }

  it.each([390, 1280])('is whole and legible in a window of %i pixels: many steps, or many branches', async (width) => {
    const context = await browsers.visitor({ viewport: { width, height: 800 } });
    const page = await browsers.open(site.server, '/blocks/diagram', context);
    await ask(page, 'many steps');
    await untilWire(page, 'ended');
    await untilWhole(page, 24);
    await page.goto(`${site.server.url}/blocks/diagram`);
    await ask(page, 'a wheel');
    await untilWire(page, 'ended');
    await untilWhole(page, 13);
  });

  it('moves under a finger on the whole screen of a phone, if it is larger', async () => {
    const context = await browsers.visitor({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const page = await browsers.open(site.server, '/blocks/diagram', context);
    await ask(page, 'many steps');
    await untilWire(page, 'ended');
    await untilWhole(page, 24);
    const board = page.locator('.diagram-board');
    expect(await board.getAttribute('data-touch')).toBe('page');
    await page.getByRole('button', { name: 'Full screen' }).click();
    await expect.poll(() => board.getAttribute('data-touch')).toBe('drawing');
  });
});

describe('the whole screen', () => {
  const isFull = () => {
    const { width, height } = document.querySelector('.diagram-board')!.getBoundingClientRect();
    return width === innerWidth && height === innerHeight;
  };

  it.each(['the Fullscreen API', 'no such API', 'a refusal'])('is entered and left by button and key, with %s', async (kind) => {
    const context = await browsers.visitor({ viewport: { width: 1000, height: 800 } });
    await context.addInitScript(AXE);
    if (kind === 'no such API') await context.addInitScript('delete Element.prototype.requestFullscreen');
    if (kind === 'a refusal') {
      await context.addInitScript('Element.prototype.requestFullscreen = () => Promise.reject(new TypeError("no"))');
    }
    const page = await browsers.open(site.server, '/blocks/diagram', context);
    await ask(page, 'How bread is baked');
    await untilWire(page, 'ended');
    await laidOut(page, 'TD');
    const button = page.getByRole('button', { name: 'Full screen' });

    await button.click();
    await expect.poll(() => page.evaluate(isFull)).toBe(true);
    expect(await page.evaluate(() => document.fullscreenElement !== null)).toBe(kind === 'the Fullscreen API');
    await laidOut(page, 'LR'); // it has more room
    expect(await button.getAttribute('aria-pressed')).toBe('true');
    expect(await violationsOn(page)).toEqual([]);
    // The focus stays on what can be seen, or leaves the page.
    for (let times = 0; times < 6; times += 1) {
      await page.keyboard.press('Tab');
      await expect.poll(() => page.evaluate(() => document.activeElement?.matches('body, .diagram-board, .diagram-board *'))).toBe(true);
    }
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate(isFull)).toBe(false);
    await expect.poll(() => page.evaluate(() => document.fullscreenElement === null)).toBe(true);
    await laidOut(page, 'TD');

    await page.locator('.diagram-board').focus();
    await page.keyboard.press('F');
    await expect.poll(() => page.evaluate(isFull)).toBe(true);
    await page.keyboard.press('f');
    await expect.poll(() => page.evaluate(isFull)).toBe(false);
  });

  it('is left by Esc while the diagram grows, which goes on', async () => {
    const page = await browsers.open(site.server, '/blocks/diagram');
    await ask(page, 'How bread is baked');
    await page.getByRole('button', { name: 'Full screen' }).click();
    await expect.poll(() => page.evaluate(isFull)).toBe(true);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate(isFull)).toBe(false);
    await untilWire(page, 'ended');
    await laidOut(page, 'LR');
  });
});
