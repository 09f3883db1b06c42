/** The preview in the admin: unsaved values, the block's own component, problems, stop, a closed tab. */
import type { BrowserContext, Page } from 'playwright-core';
import { expect, it } from 'vitest';

import { useBrowser, useServer } from '../browser';
import { LiveServer } from '../liveServer';

const browsers = useBrowser();
const site = useServer();

async function openBlock(slug: string, visitor: BrowserContext): Promise<Page> {
  const page = await browsers.open(site.server, '/admin/blocks/blocktype/', visitor);
  if (await page.locator('#id_username').count()) {
    await page.locator('#id_username').fill('admin');
    await page.locator('#id_password').fill(LiveServer.adminPassword);
    await page.locator('[type=submit]').click();
  }
  await page.locator('#result_list tr', { has: page.locator('.field-slug', { hasText: slug }) }).locator('th a').click();
  return page;
}

const panel = (page: Page) => page.locator('#block-preview');
const status = (page: Page) => panel(page).locator('.preview-status');

async function preview(page: Page, prompt: string): Promise<void> {
  await panel(page).getByLabel('Prompt').fill(prompt);
  await panel(page).getByRole('button', { name: 'Preview' }).click();
}

it('unsaved values are previewed by the block’s own component, and nothing is saved', async () => {
  const visitor = await browsers.visitor();
  const page = await openBlock('quiz', visitor);
  await page.locator('#id_system_prompt').fill('Be $nothing.');
  await preview(page, 'The sea');
  await panel(page).getByRole('alert').waitFor();
  expect(await page.locator('.field-system_prompt .errorlist').textContent()).toContain('$nothing');
  browsers.allow(/status of 400/);

  await page.locator('#id_system_prompt').fill('Be kind.');
  await preview(page, 'The sea');
  await panel(page).locator('.quiz-question').first().waitFor();
  await status(page).filter({ hasText: 'tokens' }).waitFor();
  expect(await page.locator('.field-system_prompt .errorlist').count()).toBe(0);
  await panel(page).locator('.quiz-option input').first().check();
  expect(await panel(page).locator('.quiz').textContent()).toMatch(/Right|Correct/);
  await page.locator('#id_output').selectOption('markdown');
  await preview(page, 'The sky');
  await panel(page).locator('.prose').waitFor();
  await page.reload();
  expect(await page.locator('#id_system_prompt').inputValue()).not.toBe('Be kind.');
});

it('a preview is stopped by its button, and by a tab that closes', async () => {
  const visitor = await browsers.visitor();
  const page = await openBlock('ask-question', visitor);
  await preview(page, 'Please wait here');
  await panel(page).locator('.prose').waitFor();
  await panel(page).getByRole('button', { name: 'Stop' }).click();
  await status(page).filter({ hasText: 'Stopped.' }).waitFor();
  await preview(page, 'Please wait here'); // one at a time: this shows that the first has ended
  await panel(page).locator('.prose').waitFor();
  await page.close();
  const second = await openBlock('ask-question', visitor);
  await preview(second, 'The sky');
  await status(second).filter({ hasText: 'tokens' }).waitFor();
});

it('the model is tested by a button', async () => {
  const page = await openBlock('ask-question', await browsers.visitor());
  await page.getByRole('button', { name: 'Test the model' }).click();
  await page.locator('.model-test-result', { hasText: 'scripted:pages works' }).waitFor();
});
