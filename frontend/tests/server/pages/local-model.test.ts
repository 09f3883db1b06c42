/** The bundled real model, from the prompt to the end of its answer. */
import { describe, expect, it } from 'vitest';

import { answerOn, ask, rowOf, seenOn, useBrowser, useServer } from '../browser';
import { LiveServer } from '../liveServer';

const browsers = useBrowser();

describe('the tiny model of the demo', () => {
  const site = useServer({ AI_MODEL: 'local:smollm2-135m' });

  it('answers, and the page says what it is', async () => {
    const page = await browsers.open(site.server, '/');
    await page.locator('.rail-foot', { hasText: 'a small demo model: answers may be wrong' }).waitFor();
    expect(await page.getByRole('button', { name: 'Use a better model' }).count()).toBe(0);

    await page.getByRole('link', { name: 'Ask a question' }).first().click();
    const streamId = await ask(page, 'What is the capital of France?');
    await page.locator('.wire[data-state="ended"]').waitFor({ timeout: 120_000 });
    const row = await rowOf(page, streamId);
    expect(row.status).toBe('complete');
    expect(row.text.length).toBeGreaterThan(3);
    expect((await answerOn(page)).length).toBeGreaterThan(3);
    expect((await seenOn(page)).lengths.length).toBeGreaterThan(1);
    expect(await page.locator('.facts').textContent()).toContain('A small demo model: answers may be wrong.');
  }, 180_000);

  it('staff read how to use a better one', async () => {
    const page = await browsers.open(site.server, '/admin/login/?next=/');
    await page.locator('#id_username').fill('admin');
    await page.locator('#id_password').fill(LiveServer.adminPassword);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Use a better model' }).click();
    await page.getByRole('dialog', { name: 'Use a better model' }).getByText('AI_MODEL=openai:').first().waitFor();
  });
});
