/** Streams in the admin panel: a live transcript, a cancel, and the switch that stops everything. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';

import { answerOn, ask, untilAnswerHas, untilWire, useBrowser, useServer } from '../browser';
import { LiveServer } from '../liveServer';

const browsers = useBrowser();
const site = useServer();

/** A picture of each look, to look at: `LIVEAI_PICTURES=/tmp/pictures`. */
const PICTURES = process.env['LIVEAI_PICTURES'];
const LOOKS = PICTURES ? ([['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]] as const) : ([['light', 1280]] as const);

async function openAdmin(colorScheme: 'light' | 'dark', width: number): Promise<Page> {
  const visitor = await browsers.visitor({ colorScheme, viewport: { width, height: 844 } });
  const page = await browsers.open(site.server, '/admin/login/', visitor);
  await page.locator('input[name=username]').fill('admin');
  await page.locator('input[name=password]').fill(LiveServer.adminPassword);
  await page.locator('[type=submit]').click();
  await page.waitForURL(/\/admin\/$/);
  return page;
}

it.each(LOOKS)('an answer grows in the admin, is cancelled there, and everything is stopped (%s, %i)', async (look, width) => {
  const admin = await openAdmin(look, width);
  const picture = async (name: string) => {
    if (PICTURES) await admin.screenshot({ path: `${PICTURES}/${name}-${look}-${width}.png`, fullPage: true });
  };
  const visitor = await browsers.open(site.server, '/blocks/ask-question');
  await ask(visitor, 'Please count slowly');
  await untilAnswerHas(visitor, 'w005');

  await admin.goto(`${site.server.url}/admin/streaming/stream/`);
  await admin.getByRole('link', { name: 'Please count slowly' }).first().click();
  const live = admin.locator('#stream-live .prose');
  await live.filter({ hasText: 'w010' }).waitFor();
  const before = (await live.textContent()) ?? '';
  await expect.poll(async () => (await live.textContent())?.length).toBeGreaterThan(before.length);
  expect((await live.textContent())?.trim().startsWith(before.trim().slice(0, 20))).toBe(true);
  expect(await admin.locator('#stream-plain').isVisible()).toBe(false);
  await picture('stream-live');
  await admin.getByRole('button', { name: 'Cancel this answer' }).click();
  await admin.getByText('1 stream was cancelled.').waitFor();
  await untilWire(visitor, 'stopped');
  // The whole answer is drawn again from what is stored.
  await live.filter({ hasText: 'w010' }).waitFor();
  expect((await live.textContent())?.trim()).toBe(await answerOn(visitor));
  await picture('stream-cancelled');

  await visitor.goto(`${site.server.url}/blocks/ask-question`);
  await ask(visitor, 'Please wait here');
  await untilAnswerHas(visitor, 'w005');
  await admin.goto(`${site.server.url}/admin/streaming/stream/`);
  await picture('streams');
  await admin.getByRole('link', { name: 'Cancel all running…' }).click();
  await admin.getByText('1 stream is running or waiting.').waitFor();
  await picture('cancel-all');
  await admin.goto(`${site.server.url}/admin/streaming/streamingsettings/`);
  await admin.getByLabel('Stop everything and refuse starts').check();
  await admin.locator('#id_message').fill('Back at noon.');
  await picture('switches');
  await admin.locator('[name=_save]').click();
  await admin.getByText('1 stream was cancelled.').waitFor();
  await untilWire(visitor, 'stopped');

  await visitor.goto(`${site.server.url}/blocks/ask-question`);
  await visitor.getByText('New answers are paused for now. You can still read the ones you have. Back at noon.').waitFor();
  browsers.allow(/status of 503/);
  await visitor.locator('.composer textarea').fill('Please count on');
  await visitor.getByRole('button', { name: 'Ask' }).click();
  await visitor.getByRole('alert').filter({ hasText: 'New answers are paused.' }).waitFor();
  if (PICTURES) await visitor.screenshot({ path: `${PICTURES}/paused-page-${look}-${width}.png`, fullPage: true });

  await admin.goto(`${site.server.url}/admin/streaming/streamingsettings/`);
  await admin.getByLabel('Stop everything and refuse starts').uncheck();
  await admin.locator('#id_message').fill('');
  await admin.locator('[name=_save]').click();
  await admin.getByText('Starts are accepted again.').waitFor();
  await visitor.getByRole('button', { name: 'Try again' }).click();
  await untilAnswerHas(visitor, 'w005');
  await visitor.keyboard.press('Escape');
  await untilWire(visitor, 'stopped');
});
