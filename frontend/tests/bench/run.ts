/**
 * The browser side of `scripts/bench browser`, which starts it and passes its task in
 * `LIVEAI_BENCH`.
 * It asks on the real pages and prints one line of JSON per case.
 */
import { type Browser, chromium, type Page } from 'playwright-core';
import { addField, record, type Sample } from './recorder';

interface Case {
  name: string;
  block: string;
  prompt: string;
  selector: string;
  parts: number;
  words: string;
  questions: number;
  typing: boolean;
}

interface Work {
  url: string;
  limitMs: number;
  cases: Case[];
}

const QUIET_MS = 1_000; // the answer is complete once it has not changed for this long
const KEY_EVERY_MS = 100;

async function measure(browser: Browser, { url, limitMs }: Work, wanted: Case): Promise<Sample> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(limitMs);
    await page.addInitScript(record);
    await page.goto(`${url}/blocks/${wanted.block}`);
    if (wanted.questions) await page.getByRole('spinbutton').fill(String(wanted.questions));
    const field = page.locator('.composer-text');
    await field.fill(wanted.prompt);
    await page.evaluate(() => document.fonts.ready);
    await page.waitForLoadState('networkidle'); // time for what the page preloads before the first word
    await field.press('Control+Enter');
    if (wanted.typing) await typeUntilEnd(page);
    await page.waitForSelector('.wire[data-state="ended"]', { state: 'attached' });
    // Lazy parts may be rendered after the last word.
    await page.waitForFunction(
      ({ selector, parts }) => document.querySelectorAll(selector).length >= parts,
      wanted,
    );
    await page.waitForFunction(
      (quiet) => performance.now() - window.liveaiBench.changedAt > quiet,
      QUIET_MS,
    );
    await assertWhole(page, wanted);
    const sample = await page.evaluate(() => window.liveaiBench);
    return { ...sample, endedAt: await serverEnd(page) };
  } finally {
    await context.close();
  }
}

async function typeUntilEnd(page: Page): Promise<void> {
  await page.waitForSelector('.wire[data-state="live"]', { state: 'attached' });
  await page.evaluate(addField);
  while ((await page.locator('.wire[data-state="live"]').count()) > 0) {
    await page.keyboard.press('x');
    await page.waitForTimeout(KEY_EVERY_MS);
  }
}

async function assertWhole(page: Page, { name, selector, parts, words }: Case): Promise<void> {
  const found = await page.locator(selector).count();
  const text = await page.locator('.answer').innerText();
  if (found === parts && text.includes(words)) return;
  throw new Error(`${name}: ${found} of ${parts} parts are shown, and "${text.slice(-80)}" at the end.`);
}

/**
 * Both run on one machine and therefore one clock. Converts the server's end to the page's clock,
 * to about 1 ms.
 */
async function serverEnd(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const id = location.pathname.split('/').at(-1) ?? '';
    const response = await fetch(`/api/streams/${id}`);
    const { ended_at } = (await response.json()) as { ended_at: string };
    // Date.parse would cut off fractions of a millisecond, which are not reliable anyway.
    return Date.parse(ended_at) - performance.timeOrigin;
  });
}

const work = JSON.parse(process.env['LIVEAI_BENCH'] ?? '{}') as Work;
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  for (const wanted of work.cases) {
    // oxlint-disable-next-line no-await-in-loop -- sequential, because concurrent runs would slow each other down
    const sample = await measure(browser, work, wanted);
    process.stdout.write(`${JSON.stringify(sample)}\n`);
  }
} finally {
  await browser.close();
}
