/** The first page on phones: with many blocks, an operator's message, and fields of every kind. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { ASK, useBrowser, useServer } from '../browser';

const browsers = useBrowser();
const site = useServer();
const MESSAGE = 'Back at noon: we move to a new machine, and answers may take longer until then.';

/** Nine blocks in all, with titles as admins write them, and one with an option of every kind. */
const BLOCKS = `
from blocks.models import BlockType as B
from streaming.models import StreamingSettings as S
S(message=${JSON.stringify(MESSAGE)}).save()
quiz = B.objects.get(slug='quiz')
options = {
    'town': {'type': 'string', 'title': 'Town'},
    'tongue': {'type': 'string', 'title': 'Language', 'enum': ['English', 'French', 'German', 'Italian', 'Spanish', 'Dutch'], 'default': 'English'},
    'days': {'type': 'integer', 'title': 'Days', 'minimum': 1, 'maximum': 9, 'default': 3},
    'rain': {'type': 'boolean', 'title': 'Rain too', 'default': False},
    'mood': {'type': 'string', 'title': 'Mood', 'enum': ['calm', 'lively'], 'default': 'calm'},
}
for n in range(5):
    B.objects.create(slug=f'extra-{n}', title=f'A block that an admin named at length, {n}', output='markdown', order=n,
        system_prompt='Be brief.', options_schema={'type': 'object', 'properties': options if n == 4 else {}})
`;

beforeAll(() => void site.server.python(BLOCKS));

const phone = async (width: number, height: number) =>
  browsers.visitor({ viewport: { width, height }, hasTouch: true, isMobile: true });

async function isOnFirstScreen(page: Page, selector: string): Promise<boolean> {
  return page.evaluate((css) => {
    const box = document.querySelector(css)?.getBoundingClientRect();
    return box !== undefined && scrollY === 0 && box.top >= 0 && box.bottom <= innerHeight && box.height > 0;
  }, selector);
}

it.each([
  [390, 844],
  [360, 640],
])('at %i × %i the button that asks is on the first screen, whatever stands above it', async (width, height) => {
  const page = await browsers.open(site.server, '/', await phone(width, height));
  const kinds = page.locator('.composer-kinds').getByRole('radio');
  await kinds.first().waitFor();
  expect(await kinds.count()).toBe(9);
  for (const title of ['Quiz', 'A block that an admin named at length, 4']) {
    await page.getByRole('radio', { name: title }).check({ force: true });
    expect(await isOnFirstScreen(page, '.composer-ask')).toBe(true);
    expect(await isOnFirstScreen(page, '.page-message')).toBe(true);
  }
  await page.locator('.composer textarea').fill('A long text that somebody has pasted. '.repeat(60));
  await page.evaluate(() => scrollTo(0, 0));
  expect(await isOnFirstScreen(page, '.composer-ask')).toBe(true);
  // Nothing is wider than the screen, and the chosen kind is in view.
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  await page.reload();
  await kinds.first().waitFor();
  const chosen = page.locator('.composer-kinds .segment-choice:has(:checked)');
  const box = await chosen.boundingBox();
  expect(box && box.x >= 0 && box.x < width / 2).toBe(true);
});

it('fields have 16 px on phones, so that nothing zooms', async () => {
  const page = await browsers.open(site.server, '/', await phone(390, 844));
  await page.getByRole('radio', { name: 'at length, 4' }).check({ force: true });
  const fields = page.locator('textarea, select, input:not([type=radio], [type=checkbox])');
  await expect.poll(() => fields.count()).toBe(4);
  const sizes = await fields.evaluateAll((all) => all.map((each) => Number.parseFloat(getComputedStyle(each).fontSize)));
  for (const size of sizes) expect(size).toBeGreaterThanOrEqual(16);
  // There, Enter breaks the line.
  const field = page.locator('.composer textarea');
  await field.fill('One');
  await field.press('Enter');
  expect(await field.inputValue()).toBe('One\n');
});

it.each([
  ['light', 1280, 900],
  ['dark', 390, 844],
] as const)('in the %s theme, %i wide, the message is on every page, and axe finds nothing', async (colorScheme, width, height) => {
  const visitor = await browsers.visitor({ colorScheme, viewport: { width, height } });
  await visitor.addInitScript({ content: AXE });
  browsers.allow(/status of 404/);
  const page = await browsers.open(site.server, '/', visitor);
  for (const path of ['/', '/blocks/extra-4', '/history', '/blocks/no-such-block', `/streams/${'x'.repeat(22)}`]) {
    await page.goto(site.server.url + path);
    await page.locator('.page-message', { hasText: MESSAGE }).waitFor();
    await page.locator('main h1').waitFor();
    expect(await isOnFirstScreen(page, '.page-message')).toBe(true);
    expect(await violationsOn(page)).toEqual([]);
  }
});

it('an example is asked with one click, and Enter asks', async () => {
  const page = await browsers.open(site.server, '/');
  await page.locator('.example').first().click();
  await page.waitForURL('**/streams/*');
  await page.goto(`${site.server.url}/`);
  await page.locator('.composer textarea').fill('Why?');
  expect(await page.getByRole('button', { name: ASK }).isVisible()).toBe(true);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/streams/*');
});
