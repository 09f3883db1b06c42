/** "Your data": exports, and deleting all answers, for a visitor and for a user. */
import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { ask, seenOn, untilWire, useBrowser, useServer } from '../browser';
import { LiveServer } from '../liveServer';
import { COUNTED } from './words';

const browsers = useBrowser();
const site = useServer();

/** A picture of each look, to look at: `LIVEAI_PICTURES=/tmp/pictures`. */
const PICTURES = process.env['LIVEAI_PICTURES'];

async function signIn(page: Page): Promise<void> {
  await page.goto(`${site.server.url}/account/login/`);
  await page.getByLabel('Name or email').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill(LiveServer.adminPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${site.server.url}/`);
}

/** Asks so many questions, and waits for the end of each answer. */
async function askSome(page: Page, count: number): Promise<void> {
  for (let asked = 0; asked < count; asked += 1) {
    await page.goto(`${site.server.url}/blocks/ask-question`);
    await ask(page, 'Please count on');
    await untilWire(page, 'ended');
  }
}

/** Goes to the page as a reader would. */
async function openData(page: Page): Promise<void> {
  await page.goto(`${site.server.url}/history`);
  await page.getByRole('link', { name: 'Your data' }).click();
  await page.getByRole('heading', { name: 'Your data' }).waitFor();
}

async function downloaded(page: Page, name: string): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
}

describe.each(['a visitor', 'a user'])('%s', (who) => {
  it('exports all answers, and deletes them; the history is empty, in another tab too', async () => {
    const page = await browsers.open(site.server, '/');
    if (who === 'a user') await signIn(page);
    await askSome(page, 2);
    const address = page.url();
    await openData(page);
    await page.locator('dd', { hasText: '2 answers' }).waitFor();

    const day = new Date().toISOString().slice(0, 10);
    const json = await downloaded(page, 'JSON');
    expect(json.name).toBe(`liveai-${day}.json`);
    const { account, answers } = JSON.parse(json.text) as { account: { name: string } | null; answers: { text: string }[] };
    expect(account?.name).toBe(who === 'a user' ? 'admin' : undefined);
    expect(answers.map(({ text }) => text)).toEqual([COUNTED, COUNTED]);
    const markdown = await downloaded(page, 'Markdown');
    expect(markdown.name).toBe(`liveai-${day}.md`);
    expect(markdown.text.split('> Please count on')).toHaveLength(3);

    const other = await browsers.open(site.server, new URL(address).pathname, page.context());
    await untilWire(other, 'ended');
    await page.evaluate(() => localStorage.setItem('liveai.quiz.some-stream', '{}'));
    await page.getByRole('link', { name: 'Delete all' }).click();
    await page.getByRole('heading', { name: 'Delete all 2 answers?' }).waitFor();
    await page.getByRole('link', { name: 'Cancel' }).click();
    await page.locator('dd', { hasText: '2 answers' }).waitFor();
    await page.getByRole('link', { name: 'Delete all' }).click();
    await page.getByRole('button', { name: 'Delete 2 answers' }).click();
    await page.getByRole('status').getByText('All of your answers are deleted.').waitFor();
    expect(await page.evaluate(() => localStorage.getItem('liveai.quiz.some-stream'))).toBeNull();
    expect(await page.getByRole('link', { name: 'JSON' }).count()).toBe(0);

    await page.goto(`${site.server.url}/history`);
    await page.getByText('No questions yet.').waitFor();
    browsers.allow(/status of 404/); // the deleted answer
    await other.reload();
    await other.getByText('Answer not found').first().waitFor();
  });
});

it('the account’s page leads there', async () => {
  const page = await browsers.open(site.server, '/');
  await signIn(page);
  await page.goto(`${site.server.url}/account/`);
  await page.getByRole('link', { name: 'See your data' }).click();
  await page.getByRole('heading', { name: 'Your data' }).waitFor();
});

const LOOKS = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
] as const;

it.each(LOOKS)('in the %s theme, %i pixels wide, axe finds nothing, and nothing is cut off', async (colorScheme, width) => {
  const visitor = await browsers.visitor({ colorScheme, viewport: { width, height: 844 } });
  await visitor.addInitScript({ content: AXE });
  const page = await browsers.open(site.server, '/', visitor);
  const expectFine = async (name: string) => {
    expect(await violationsOn(page)).toEqual([]);
    const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement);
    expect(scrollWidth).toBe(clientWidth);
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}-${colorScheme}-${width}.png`, fullPage: true });
  };
  await openData(page);
  await expectFine('empty');
  await askSome(page, 1);
  await openData(page);
  await expectFine('visitor');
  await page.goto(`${site.server.url}/history`);
  await page.getByRole('link', { name: 'Your data' }).waitFor();
  await expectFine('history');
  await page.goto(`${site.server.url}/account/data/delete/`);
  await expectFine('delete');
  await page.getByRole('button', { name: 'Delete 1 answer' }).click();
  await page.getByRole('status').waitFor();
  await expectFine('deleted');
  await signIn(page);
  await page.goto(`${site.server.url}/account/`);
  await expectFine('account');
  await page.goto(`${site.server.url}/account/data/`);
  await expectFine('user');
  expect((await seenOn(page)).violations).toEqual([]);
});
