/** Runs axe-core on a page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Page } from 'playwright-core';

/** The source of axe, for `addInitScript`. */
export const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run(options: object): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
}

/** Returns what axe finds, as "rule: element". */
export async function violationsOn(page: Page): Promise<string[]> {
  // A drawing fades in; a colour in mid-fade is not what people read.
  await page.evaluate(() => Promise.all(document.getAnimations().map((each) => each.finished.catch(() => undefined))));
  return page.evaluate(async () => {
    // The nodes that are as they should be need no words.
    const options = { resultTypes: ['violations'] };
    const { violations } = await (window as unknown as { axe: Axe }).axe.run(options);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
  });
}
