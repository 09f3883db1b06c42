/** What a full server and a limit look like: a place in line, and a time to try again. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import type { TransportName } from '../../../src/ai';
import type { LiveServer } from '../liveServer';
import { AXE, violationsOn } from '../axe';
import { answerOn, ask, onBothTransports, seenOn, untilAnswerHas, untilWire, useBrowser, useServer } from '../browser';
import { ScriptedStream, STREAM_ID } from '../scriptedStream';
import { COUNTED } from './words';

const browsers = useBrowser();
const again = (page: Page) => page.getByRole('button', { name: /^Try again/ });
const stream_id = STREAM_ID;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

const untilPlace = (page: Page, words: string) =>
  page.locator('.waiting', { hasText: `you are ${words} in line.` }).waitFor();

/** A page on which the next start is the test's own stream. */
async function inLine({ server, transport }: { server: LiveServer; transport: TransportName }) {
  const context = await browsers.visitor();
  await context.addInitScript(AXE);
  const page = await browsers.open(server, '/', context);
  const stream = await ScriptedStream.on(page, transport);
  await page.goto(`${server.url}/blocks/ask-question`);
  return { page, stream };
}

onBothTransports((site) => {
  it('a stream in line shows its place, tells screen readers of the half of it, and then answers', async () => {
    const { page, stream } = await inLine(site);
    const waiting = page.locator('.waiting');
    await ask(page, 'Why is the sky blue?');
    await stream.send({ type: 'queue', stream_id, place: 12 });
    await waiting.filter({ hasText: 'Waiting for a free place – you are 12th in line.' }).waitFor();
    for (const [place, words] of [[11, '11th'], [7, '7th'], [6, '6th'], [4, '4th'], [1, 'next']] as const) {
      // oxlint-disable-next-line no-await-in-loop
      await stream.send({ type: 'queue', stream_id, place });
      // oxlint-disable-next-line no-await-in-loop
      await waiting.filter({ hasText: `you are ${words} in line.` }).waitFor();
    }
    expect(await violationsOn(page)).toEqual([]);
    await stream.send({ type: 'chunk', stream_id, seq: 0, token: 'At last.' });
    await untilAnswerHas(page, 'At last.');
    expect(await waiting.count()).toBe(0);
    const { said } = await seenOn(page);
    const places = said.filter((words) => words.includes('in line')).map((words) => / (\w+) in line/u.exec(words)?.[1]);
    expect(places).toEqual(['12th', '6th', 'next']);
    await browsers.settle();
    await stream.close();
  });

  it('a stream in line can be stopped', async () => {
    const { page, stream } = await inLine(site);
    await ask(page, 'Why is the sky blue?');
    await stream.send({ type: 'queue', stream_id, place: 2 });
    await page.locator('.waiting', { hasText: 'you are 2nd in line.' }).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await untilWire(page, 'stopped');
    expect(await answerOn(page)).toBe('Stopped.');
    expect(stream.cancels).toBe(1);
    await browsers.settle();
    await stream.close();
  });
});

onBothTransports(
  (site) => {
    it('the line of a full server moves on, and a page that opens meanwhile knows the place', async () => {
      const first = await browsers.open(site.server, '/blocks/ask-question');
      await ask(first, 'Please wait here');
      await untilWire(first, 'live');
      const visitor = await browsers.visitor();
      const second = await browsers.open(site.server, '/blocks/ask-question', visitor);
      const streamId = await ask(second, 'Please count on');
      await untilPlace(second, 'next');
      const third = await browsers.open(site.server, '/blocks/ask-question');
      await ask(third, 'Please count on');
      await untilPlace(third, '2nd');
      const later = await browsers.open(site.server, `/streams/${streamId}`, visitor);
      await untilPlace(later, 'next');

      await first.getByRole('button', { name: 'Stop' }).click();
      await untilPlace(third, 'next');
      await third.getByRole('button', { name: 'Stop' }).click();
      await untilWire(third, 'stopped');
      for (const page of [second, later]) {
        // oxlint-disable-next-line no-await-in-loop
        await untilWire(page, 'ended');
        // oxlint-disable-next-line no-await-in-loop
        expect(await answerOn(page)).toBe(COUNTED);
      }
    });
  },
  { STREAM_MAX_RUNNING: '1', STREAM_WAIT_SECONDS: '60', LIMIT_ANONYMOUS_SHARE: '100' },
);

onBothTransports(
  (site) => {
    it('a limit of the server counts down in words, and a screen reader hears it once', async () => {
      browsers.allow(/the server responded with a status of 429/);
      const page = await browsers.open(site.server, '/blocks/ask-question');
      await ask(page, 'Why is the sky blue?');
      await untilWire(page, 'ended');
      await page.goto(`${site.server.url}/blocks/ask-question`);
      await page.locator('.composer textarea').fill('And at night?');
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      const words = await textOf(again(page));
      expect(words).toMatch(/^Try again in [3-6]\d s$/);
      const note = page.getByRole('alert');
      expect(await note.textContent()).toMatch(/^You started 1 answer within a minute\. Your question is kept\. You can try again in \d\d seconds\. rate_limited$/);
      const heard = await note.textContent();
      await again(page).filter({ hasNotText: words }).waitFor();
      expect([await note.textContent(), await again(page).getAttribute('aria-disabled')]).toEqual([heard, 'true']);
      expect((await seenOn(page)).said.filter((each) => /\d/.test(each))).toEqual([]);
      await page.reload();
      expect(await page.locator('.composer textarea').inputValue()).toBe('And at night?');
    });
  },
  { LIMIT_STARTS_PER_MINUTE: '1' },
);

describe('over sse, refused until', () => {
  const site = useServer({ AI_STREAMING_FALLBACK: 'false' });

  /** A page whose next start is refused; it is two in the afternoon. */
  async function refused(code: string, seconds: number, status = 429): Promise<Page> {
    browsers.allow(/the server responded with a status of/);
    const context = await browsers.visitor({ timezoneId: 'Europe/Berlin' });
    await context.addInitScript(AXE);
    const page = await browsers.open(site.server, '/', context);
    await page.clock.install({ time: '2026-01-01T14:00:00+01:00' });
    await page.route('**/api/stream/ai-block/*', (route) => {
      const body = JSON.stringify({ code, title: code, detail: 'Today’s limit is used up.', status });
      const headers = { 'Retry-After': String(seconds) };
      return route.fulfill({ status, body, headers, contentType: 'application/problem+json' });
    });
    await page.goto(`${site.server.url}/blocks/ask-question`);
    await page.locator('.composer textarea').fill('Please count on');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByRole('alert').waitFor();
    return page;
  }

  it('a fixed time: the button does nothing before, and asks the same question after', async () => {
    const page = await refused('quota_exceeded', 5 * MINUTE);
    expect(await textOf(again(page))).toBe('Try again in 5 minutes');
    expect(await violationsOn(page)).toEqual([]);
    await page.clock.fastForward(4.5 * MINUTE * 1000);
    await again(page).filter({ hasText: /^Try again in (30|29) s$/ }).waitFor();
    await page.unrouteAll();
    await again(page).click({ force: true });
    expect(await page.locator('.wire').getAttribute('data-state')).toBe('failed');
    await page.clock.fastForward(31_000);
    await page.getByRole('button', { name: 'Try again', exact: true }).click();
    await untilWire(page, 'ended');
    expect(await answerOn(page)).toBe(COUNTED);
    expect((await seenOn(page)).said).toContain('You can try again now');
  });

  it.each([
    [3 * HOUR, 'Try again at 17:00'],
    [19 * HOUR, 'Try again tomorrow at 9:00'],
    [43 * HOUR, 'Try again on Saturday at 9:00'],
  ])('a distant time is told by the clock: %i s, "%s"', async (seconds, words) => {
    const page = await refused('quota_exceeded', seconds);
    expect(await textOf(again(page))).toBe(words);
  });

  it('a place becomes free: the note counts, and the button works at once', async () => {
    const page = await refused('over_capacity', 40, 503);
    await page.locator('.note', { hasText: /A place may be free in (40|39|38) s\./ }).waitFor();
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Try again', exact: true }).click();
    await untilWire(page, 'ended');
    expect(await answerOn(page)).toBe(COUNTED);
  });
});

async function textOf(locator: ReturnType<typeof again>): Promise<string> {
  return (await locator.textContent()) ?? '';
}
