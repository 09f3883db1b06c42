/**
 * The connection between page and server: cut in mid-answer, blocked, replaced by the other
 * transport.
 */
import { expect, it } from 'vitest';

import { ASK, answerOn, ask, LOST_LINES, onBothTransports, rowOf, seenOn, setOffline, streamAt, TRANSPORT_WORDS, untilAnswerHas, untilWire, useBrowser } from '../browser';
import { CuttingProxy } from '../cuttingProxy';
import type { CutPlan } from '../cuttingProxy';
import { COUNTED } from './words';

const browsers = useBrowser();
const FOR_EVER = Number.POSITIVE_INFINITY;

onBothTransports((site) => {
  const other = site.transport === 'sse' ? 'websocket' : 'sse';

  async function through<T>(plan: CutPlan, use: (proxy: CuttingProxy) => Promise<T>): Promise<T> {
    const proxy = await CuttingProxy.listen(site.server.port, plan);
    try {
      return await use(proxy);
    } finally {
      // Before the proxy: a page without a server would log errors.
      await browsers.settle();
      await proxy.close();
    }
  }

  it('an answer over a connection that is cut loses and duplicates no word', () =>
    through({ cutsAfterBytes: [3_000, 5_000, 4_000] }, async (proxy) => {
      browsers.allow(LOST_LINES);
      const page = await browsers.open(proxy, '/blocks/ask-question');
      const streamId = await ask(page, 'Please count on');
      await untilWire(page, 'ended');

      expect(proxy.cuts).toBe(3);
      const row = await rowOf(page, streamId);
      expect(await answerOn(page)).toBe(COUNTED);
      expect(row.text.trim()).toBe(COUNTED);
      const seen = await seenOn(page);
      expect(seen.wires.filter((wire) => wire === 'lost')).toHaveLength(3);
      expect(seen.notes.some((words) => words.startsWith('Connection lost.'))).toBe(true);
      expect(seen.said).toContain('Connection lost, trying again');
      expect(seen.said).toContain('Connected again, generating');
      // What was shown never disappeared.
      expect(seen.lengths.toSorted((one, two) => one - two)).toEqual(seen.lengths);
      expect(await streamAt(page)).toBe(streamId);
    }));

  it('a quiz over a connection that is cut equals the server’s', () =>
    through({ cutsAfterBytes: [2_500, 3_000] }, async (proxy) => {
      browsers.allow(LOST_LINES);
      const page = await browsers.open(proxy, '/blocks/quiz');
      const streamId = await ask(page, 'The planets');
      await untilWire(page, 'ended');
      expect(proxy.cuts).toBe(2);
      const row = await rowOf(page, streamId);
      const questions = row.result?.['questions'] as { question: string; options: string[] }[];
      expect(await page.locator('.quiz-question legend span').allTextContents()).toEqual(
        questions.map(({ question }) => question),
      );
      expect(await page.locator('.quiz-words').allTextContents()).toEqual(
        questions.flatMap(({ options }) => options),
      );
    }));

  it('an answer that goes offline is whole when the network is back', () =>
    through({ cutsAfterBytes: [] }, async (proxy) => {
      browsers.allow(LOST_LINES);
      const page = await browsers.open(proxy, '/blocks/ask-question');
      await ask(page, 'Please count on');
      await untilAnswerHas(page, 'w010');
      proxy.goDown();
      await setOffline(page, true); // the browser knows; alone, this does not cut what is open
      const note = page.locator('.note', { hasText: 'You’re offline. This answer will pick up where it left off' });
      await note.waitFor();
      proxy.comeBack();
      await setOffline(page, false);
      await untilWire(page, 'ended');
      expect(await answerOn(page)).toBe(COUNTED);
      expect(await note.count()).toBe(0);
    }));

  it('a question that is asked offline is sent once when the network is back', () =>
    through({ cutsAfterBytes: [] }, async (proxy) => {
      browsers.allow(LOST_LINES);
      const page = await browsers.open(proxy, '/blocks/ask-question');
      await page.locator('.composer textarea').fill('Please count on');
      proxy.goDown();
      await setOffline(page, true);
      await page.getByRole('button', { name: ASK }).click();
      const words = 'You’re offline. Your question is kept. It will be sent when you’re back online.';
      await page.locator('.note', { hasText: words }).waitFor();
      expect((await seenOn(page)).notes.some((note) => note.includes('Connection lost'))).toBe(false);
      proxy.comeBack();
      await setOffline(page, false);
      await untilWire(page, 'ended');
      expect(await answerOn(page)).toBe(COUNTED);
      const list = await page.request.get(`${proxy.url}/api/streams`);
      expect(((await list.json()) as { results: unknown[] }).results).toHaveLength(1);
    }));

  it('if the transport is blocked from the start, the other one takes over', () =>
    through({ cutsAfterBytes: [], block: { kind: site.transport, afterCuts: 0, times: FOR_EVER } }, async (proxy) => {
      browsers.allow(LOST_LINES);
      const page = await browsers.open(proxy, '/blocks/ask-question');
      await ask(page, 'Please count on');
      await untilWire(page, 'ended');
      expect(await answerOn(page)).toBe(COUNTED);
      await expectFallback(page);
    }));

  it('if it is blocked in mid-answer, the other one continues the same stream', () =>
    through(
      { cutsAfterBytes: [4_000], block: { kind: site.transport, afterCuts: 1, times: FOR_EVER } },
      async (proxy) => {
        browsers.allow(LOST_LINES);
        const page = await browsers.open(proxy, '/blocks/ask-question');
        const streamId = await ask(page, 'Please count on');
        await untilWire(page, 'ended');
        expect(await answerOn(page)).toBe(COUNTED);
        expect(await streamAt(page)).toBe(streamId);
        const list = await page.request.get(`${proxy.url}/api/streams`);
        expect(((await list.json()) as { results: unknown[] }).results).toHaveLength(1);
        await expectFallback(page);
      },
    ));

  async function expectFallback(page: Parameters<typeof answerOn>[0]): Promise<void> {
    const words = `Connected over ${TRANSPORT_WORDS[other]} instead.`;
    await page.locator('.note', { hasText: words }).waitFor();
    expect(await page.locator('.facts').textContent()).toContain(TRANSPORT_WORDS[other]);
  }
});
