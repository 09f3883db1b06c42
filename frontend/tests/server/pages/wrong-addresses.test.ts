/** Addresses of no page, slashes at the end, and refused requests: each gets a page of the site. */
import { describe, expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { useBrowser, useServer } from '../browser';

const browsers = useBrowser();

const PAPER = { light: 'rgb(243, 246, 246)', dark: 'rgb(13, 24, 31)' } as const;
const paperOf = () => getComputedStyle(document.body).backgroundColor;

describe.each(['false', 'true'])('with DJANGO_DEBUG=%s', (debug) => {
  const site = useServer({ DJANGO_DEBUG: debug });

  it.each([
    ['/nothing/here', 'light'],
    ['/blocks', 'dark'],
    ['/streams/a/b', 'light'],
    ['/%ff', 'dark'],
    ['/a%0Ab', 'light'],
    ['/HISTORY', 'dark'],
    ['/history/more/', 'light'],
  ] as const)('%s is a page of the site, with the status 404', async (path, colorScheme) => {
    browsers.allow(/status of 404/);
    const context = await browsers.visitor({ colorScheme });
    await context.addInitScript(AXE);
    const page = await browsers.open(site.server, '/history', context);
    const response = await page.goto(site.server.url + path);
    expect(response?.status()).toBe(404);
    await page.getByRole('heading', { name: 'Page not found' }).waitFor();
    expect(await page.title()).toBe('Page not found – Live AI Blocks');
    expect(await page.evaluate(paperOf)).toBe(PAPER[colorScheme]);
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole('link', { name: 'Ask something' }).click();
    await page.waitForURL(`${site.server.url}/`);
  });

  it.each([
    ['/history/?status=error', '/history?status=error', 'History'],
    ['//history/', '/history', 'History'],
    ['/blocks/quiz/', '/blocks/quiz', 'Quiz'],
  ])('%s leads to %s', async (path, address, heading) => {
    const page = await browsers.open(site.server, path);
    await page.getByRole('heading', { name: heading, exact: true }).waitFor();
    expect(page.url()).toBe(site.server.url + address);
  });

  it('/admin leads to the admin panel, as ever', async () => {
    const page = await browsers.open(site.server, '/admin');
    await page.locator('#id_username').waitFor();
  });
});

describe('a page of the server alone', () => {
  const site = useServer();

  it.each([
    ['light', 'dark'],
    ['dark', 'light'],
  ] as const)('says that a form expired, in the theme that the reader chose: %s, not %s', async (theme, colorScheme) => {
    browsers.allow(/status of 403/);
    const context = await browsers.visitor({ colorScheme });
    await context.addInitScript(AXE);
    const page = await browsers.open(site.server, '/admin/login/', context);
    await page.evaluate((chosen) => localStorage.setItem('theme', chosen), theme);
    await context.clearCookies();
    await page.locator('#id_username').fill('admin');
    await page.locator('#id_password').fill('wrong');
    await page.locator('[type=submit]').click();
    await page.getByRole('heading', { name: 'This form has expired' }).waitFor();
    expect(await page.evaluate(paperOf)).toBe(PAPER[theme]);
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole('link', { name: 'Ask something' }).click();
    await page.waitForURL(`${site.server.url}/`);
  });
});
