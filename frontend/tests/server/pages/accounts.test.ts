/** Accounts: signing in where one asks, signing up, out, and deleting; in each theme, by keyboard. */
import type { BrowserContext, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { answerOn, ask, untilWire, useBrowser, useServer } from '../browser';
import { LiveServer } from '../liveServer';
import { COUNTED } from './words';

const browsers = useBrowser();
const site = useServer({ AI_ALLOW_ANONYMOUS: 'false', SIGN_UP: 'open', EMAIL_URL: 'dummymail://' });
const PASSWORD = 'open sesame street';

const field = (page: Page) => page.locator('.composer textarea');

async function signIn(page: Page, name = 'admin', password = LiveServer.adminPassword): Promise<void> {
  await page.getByLabel('Name or email').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Opens a page as the administrator. */
async function openSignedIn(path: string, context?: BrowserContext): Promise<Page> {
  const page = await browsers.open(site.server, `/account/login/?next=${encodeURIComponent(path)}`, context);
  await signIn(page);
  await page.waitForURL(site.server.url + path);
  return page;
}

describe('where only people with an account may ask', () => {
  it('signing in keeps the draft, with its kind and options, and returns to its page', async () => {
    browsers.allow(/status of 401/); // the history of nobody
    const page = await browsers.open(site.server, '/');
    await page.locator('.segment-choice', { hasText: 'Quiz' }).click();
    await page.locator('.segment-choice', { hasText: 'hard' }).click();
    await field(page).fill('The planets');
    expect(await page.getByRole('button', { name: 'Make quiz' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Sign in to ask' }).click();
    await signIn(page);
    await page.waitForURL(`${site.server.url}/`);
    expect(await field(page).inputValue()).toBe('The planets');
    expect(await page.getByRole('radio', { name: 'hard' }).isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Make quiz' }).click();
    await untilWire(page, 'ended');
  });

  it('on a block’s page, Enter leads to signing in, and back', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await field(page).fill('Why is the sky blue?');
    await field(page).press('Enter');
    await page.waitForURL(/\/account\/login\//);
    await signIn(page);
    await page.waitForURL(`${site.server.url}/blocks/ask-question`);
    expect(await field(page).inputValue()).toBe('Why is the sky blue?');
  });

  it('the page of an answer leads to signing in, and then shows it', async () => {
    browsers.allow(/status of 401/);
    const owner = await openSignedIn('/blocks/ask-question');
    await ask(owner, 'Please count on');
    await untilWire(owner, 'ended');

    const page = await browsers.open(site.server, new URL(owner.url()).pathname);
    await page.getByRole('heading', { name: 'Sign in to see this answer' }).waitFor();
    await page.locator('main').getByRole('link', { name: 'Sign in' }).click();
    await signIn(page);
    await page.waitForURL(owner.url());
    await untilWire(page, 'ended');
    expect(await answerOn(page)).toBe(COUNTED);
  });

  it('a sign-up returns to the draft, too; the foot names the new user, who can delete the account', async () => {
    browsers.allow(/status of 401/);
    const page = await browsers.open(site.server, '/');
    await field(page).fill('Why?');
    await page.locator('main').getByRole('link', { name: 'Sign up' }).click();
    await page.getByLabel('Name').fill('eve');
    await page.getByLabel('Email').fill('eve@example.org');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.waitForURL(`${site.server.url}/`);
    expect(await field(page).inputValue()).toBe('Why?');
    const foot = page.locator('.rail-who');
    await foot.getByText('eve').waitFor();

    await foot.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('link', { name: 'Delete this account' }).click();
    await page.getByRole('button', { name: 'Delete account and answers' }).click();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Your account is deleted' }).waitFor();
    await page.getByRole('link', { name: 'Home' }).click();
    await page.getByRole('link', { name: 'Sign in to ask' }).waitFor();
  });

  it('signing out is one click, and takes asking away in another tab as well', async () => {
    browsers.allow(/status of 401/);
    const visitor = await browsers.visitor();
    const page = await openSignedIn('/', visitor);
    const other = await browsers.open(site.server, '/', visitor);
    await other.getByRole('button', { name: 'Ask' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in to ask' }).waitFor();
    await other.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await other.getByRole('link', { name: 'Sign in to ask' }).waitFor();
  });
});

it('the keyboard alone signs in', async () => {
  const page = await browsers.open(site.server, '/account/login/');
  await page.keyboard.type('admin');
  await page.keyboard.press('Tab');
  await page.keyboard.type(LiveServer.adminPassword);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${site.server.url}/`);
});

const LOOKS = [
  ['light', 1280],
  ['dark', 390],
] as const;

describe.each(LOOKS)('in the %s theme, %i pixels wide, axe finds nothing', (colorScheme, width) => {
  const visit = async () => {
    const visitor = await browsers.visitor({ colorScheme, viewport: { width, height: 844 } });
    await visitor.addInitScript({ content: AXE });
    return visitor;
  };
  const expectFine = async (page: Page) => {
    expect(await violationsOn(page)).toEqual([]);
    const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement);
    expect(scrollWidth).toBe(clientWidth);
  };

  it.each(['login', 'signup', 'password/reset', 'password/reset/done', 'confirm-email', 'deleted'])('on /account/%s/', async (path) => {
    const page = await browsers.open(site.server, `/account/${path}/`, await visit());
    await expectFine(page);
    if ((await page.locator('main form').count()) === 0) return;
    for (const input of await page.locator('main input:visible').all()) await input.fill('x@x');
    await page.locator('main button').click();
    await expectFine(page);
  });

  it('on the pages of an account', async () => {
    const page = await openSignedIn('/account/', await visit());
    await expectFine(page);
    for (const path of ['name', 'email', 'password/change', 'delete', 'reauthenticate', 'logout']) {
      await page.goto(`${site.server.url}/account/${path}/`);
      await expectFine(page);
    }
  });

  it('on the page of a refusal, which counts down and then tries again', async () => {
    browsers.allow(/status of (?:404|429)/);
    const visitor = await visit();
    const path = `${site.server.url}/account/invitation/unknown/`;
    const opened = async () => (await visitor.request.get(path)).status();
    // oxlint-disable-next-line no-await-in-loop
    while ((await opened()) !== 429);
    const page = await visitor.newPage();
    await page.clock.install();
    await page.goto(path);
    const button = page.getByRole('button', { name: 'Try again' });
    await expectFine(page);
    await page.getByText(/^Please try again in \d+ seconds?\.$/u).waitFor();
    await button.press('Enter'); // too early: the page stays, with its clock
    await page.clock.fastForward(61_000);
    await page.getByRole('status').filter({ hasText: 'You can try again now.' }).waitFor();
    await expectFine(page);
    const opens = page.waitForRequest((request) => request.isNavigationRequest());
    await button.click();
    expect((await opens).url()).toBe(`${path}?`);
  });

  it('on the composer that leads to signing in', async () => {
    browsers.allow(/status of 401/);
    const page = await browsers.open(site.server, '/', await visit());
    await page.getByRole('link', { name: 'Sign in to ask' }).waitFor();
    await expectFine(page);
  });
});
