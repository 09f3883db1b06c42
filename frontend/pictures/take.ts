/**
 * Takes the README's pictures: a sample answer while it is written, in light and in dark, on a real
 * server. `scripts/screenshots` calls it with the folder for the pictures.
 */
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { LiveServer } from '../tests/server/liveServer';

const SAMPLE = 'Explanation with a formula';
/** The picture is taken when these words are on the page: below the formula, and before the end. */
const WORDS = 'no mass in the formula';
const THEMES = ['light', 'dark'] as const;
/** How long each step may take: the machine may be busy. */
const STEP_MS = 100_000;
/** On a busy machine an answer can end before its picture is taken. */
const ATTEMPTS = 3;

type Theme = (typeof THEMES)[number];

/** Takes the picture; returns whether the answer was still being written. */
async function take(browser: Browser, url: string, theme: Theme, path: string): Promise<boolean> {
  const context = await browser.newContext({
    viewport: { width: 1080, height: 800 },
    deviceScaleFactor: 1.5,
    colorScheme: theme,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(STEP_MS);
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(() => document.fonts.ready);
  await page.locator('.samples').getByRole('button', { name: SAMPLE }).click();
  await page.waitForURL('**/streams/*');
  await page.locator('.answer', { hasText: WORDS }).waitFor();
  await page.locator('.answer math').first().waitFor({ state: 'attached' });
  await page.screenshot({ path, animations: 'disabled' });
  const isLive = (await page.locator('.wire[data-state="live"]').count()) === 1;
  await context.close();
  return isLive;
}

async function takeLive(browser: Browser, url: string, theme: Theme, path: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- the next attempt depends on this one
    if (await take(browser, url, theme, path)) return;
  }
  throw new Error(`The answer ended before its picture was taken, ${ATTEMPTS} times.`);
}

const [folder = '.'] = process.argv.slice(-1);
const server = await LiveServer.start({ AI_MODEL: 'local:smollm2-135m' });
try {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
  });
  try {
    for (const theme of THEMES) {
      const path = join(folder, `answer-${theme}.png`);
      // oxlint-disable-next-line no-await-in-loop -- one after the other: each needs the cores
      await takeLive(browser, server.url, theme, path);
      process.stdout.write(`${path}\n`);
    }
  } finally {
    await browser.close();
  }
} finally {
  await server.close();
}
