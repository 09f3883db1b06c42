/** The pages of operators: what axe finds, what fits, and what the browser refuses. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';

import { AXE, violationsOn } from '../axe';
import { useBrowser, useServer } from '../browser';
import { LiveServer } from '../liveServer';

const browsers = useBrowser();
const site = useServer();

/** Answers of today and yesterday, of which some failed. */
const ANSWERS = `
from datetime import timedelta
from django.utils import timezone
from streaming.database.store import new_stream_id
from streaming.models import Stream
for hours in range(48):
    at = timezone.now() - timedelta(hours=hours)
    status, code = ('error', 'provider_timeout') if hours % 5 == 0 else ('complete', 'stop')
    terminal = {'seq': 5, 'type': status, 'code': code, 'finish_reason': code, 'duration_ms': 3000}
    Stream.objects.create(id=new_stream_id(), owner='user:1', block_type='quiz', model='local:x', prompt='Planets',
        status=status, terminal=terminal, seq=5, mark=9, created_at=at, ended_at=at, ttft_ms=300 + hours,
        input_tokens=20, output_tokens=40)
`;

beforeAll(() => void site.server.python(ANSWERS));

async function signIn(page: Page): Promise<void> {
  await page.locator('#id_username').fill('admin');
  await page.locator('#id_password').fill(LiveServer.adminPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
}

it.each([
  ['light', 1280],
  ['dark', 390],
] as const)('is readable in the %s theme, %i pixels wide', async (colorScheme, width) => {
  const visitor = await browsers.visitor({ colorScheme, viewport: { width, height: 844 } });
  await visitor.addInitScript({ content: AXE });
  const page = await browsers.open(site.server, '/admin/login/?next=/admin/', visitor);
  expect(await violationsOn(page)).toEqual([]);
  await signIn(page);
  const paths = ['/admin/', '/admin/spent/?who=admin', '/admin/operating/modelprice/', '/admin/operating/modelprice/add/'];
  // Lists with filters, a form with times, a question whether to delete, and a form above a preview.
  paths.push('/admin/blocks/blocktype/', '/admin/streaming/streamingsettings/1/change/', '/admin/blocks/blocktype/1/delete/', '/admin/blocks/blocktype/1/change/');
  for (const path of paths) {
    await page.goto(site.server.url + path);
    const found = await violationsOn(page);
    const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect({ path, found, isTooWide }).toEqual({ path, found: [], isTooWide: false });
  }
  await page.goto(`${site.server.url}/admin/blocks/blocktype/1/delete/`);
  // axe takes words in the colour of the page for hidden ones.
  const [words, paper] = await page.evaluate(() => [getComputedStyle(document.querySelector('.cancel-link')!).color, getComputedStyle(document.body).backgroundColor]);
  expect(words).not.toBe(paper);
  await page.goto(`${site.server.url}/admin/blocks/blocktype/1/change/`);
  const tops = await page.evaluate(() => ['#blocktype_form', '#block-preview'].map((part) => document.querySelector(part)!.getBoundingClientRect()));
  expect(tops[1]!.top).toBeGreaterThanOrEqual(tops[0]!.bottom);
});
