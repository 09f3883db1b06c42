/** One answer in two tabs, across a reload, and with settings changed in between. */
import { afterEach, expect, it } from 'vitest';

import { ASK, answerOn, ask, onBothTransports, rowOf, seenOn, streamAt, untilAnswerHas, untilWire, useBrowser } from '../browser';
import { COUNTED } from './words';

const browsers = useBrowser();

onBothTransports((site) => {
  afterEach(() => site.server.python('from streaming.models import StreamingSettings as S; S.objects.all().delete()'));

  it('a second tab follows live, from a copied link', async () => {
    const visitor = await browsers.visitor({ permissions: ['clipboard-read', 'clipboard-write'] });
    const first = await browsers.open(site.server, '/blocks/ask-question', visitor);
    const streamId = await ask(first, 'Please count on');
    await untilAnswerHas(first, 'w020');
    await first.locator('.tools').getByRole('button', { name: 'Copy' }).click();
    await first.getByRole('menuitem', { name: 'Copy link' }).click();
    // The clipboard is shared by all tests: until it is written to, it holds an earlier link.
    const copied = () => first.evaluate(() => navigator.clipboard.readText());
    await expect.poll(copied, { timeout: 10_000 }).toContain(streamId);
    const link = await copied();

    const second = await browsers.open(site.server, new URL(link).pathname, visitor);
    await untilWire(second, 'live');
    await Promise.all([untilWire(first, 'ended'), untilWire(second, 'ended')]);
    expect(await answerOn(second)).toBe(COUNTED);
    expect(await answerOn(first)).toBe(COUNTED);
    const { lengths } = await seenOn(second);
    expect(lengths.length).toBeGreaterThan(20);
    expect(lengths.toSorted((one, two) => one - two)).toEqual(lengths);
  });

  it('a stop in one tab stops the other', async () => {
    const visitor = await browsers.visitor();
    const first = await browsers.open(site.server, '/blocks/ask-question', visitor);
    const streamId = await ask(first, 'Please count on');
    const second = await browsers.open(site.server, `/streams/${streamId}`, visitor);
    await untilWire(second, 'live');
    await second.getByRole('button', { name: 'Stop' }).click();
    await Promise.all([untilWire(first, 'stopped'), untilWire(second, 'stopped')]);
    expect(await answerOn(first)).toBe(await answerOn(second));
  });

  it('a reload in mid-answer continues where it was', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const streamId = await ask(page, 'Please count on');
    await untilAnswerHas(page, 'w050');
    await page.reload();
    await untilAnswerHas(page, 'w050');
    await untilWire(page, 'live');
    await untilWire(page, 'ended');
    expect(await answerOn(page)).toBe(COUNTED);
    expect(await streamAt(page)).toBe(streamId);
    const { lengths } = await seenOn(page);
    expect(lengths.toSorted((one, two) => one - two)).toEqual(lengths);
  });

  it('a reload in mid-quiz keeps the answers given', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz');
    await ask(page, 'The planets, wait here');
    await page.locator('.quiz-option', { hasText: 'Earth' }).click();
    await page.reload();
    await page.locator('.quiz-option', { hasText: 'Earth' }).getByText('Your answer – wrong').waitFor();
    await page.locator('.quiz-question').nth(1).getByText('Which planet wears').waitFor();
    await page.keyboard.press('Escape');
    await untilWire(page, 'stopped');
  });

  it('a draft survives a reload, and is gone after asking', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz');
    const field = page.locator('.composer textarea');
    await field.fill('A quiz I have not asked for');
    await page.reload();
    expect(await field.inputValue()).toBe('A quiz I have not asked for');
    await page.getByRole('button', { name: ASK }).click();
    await streamAt(page);
    await untilWire(page, 'ended');
    await page.getByRole('button', { name: 'Ask something else' }).click();
    await field.waitFor();
    expect(await field.inputValue()).toBe('');
  });

  it('a stranger can’t open an answer', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const streamId = await ask(page, 'Why is the sky blue?');
    browsers.allow(/the server responded with a status of 404/);
    const stranger = await browsers.open(site.server, `/streams/${streamId}`);
    await stranger.getByRole('heading', { name: 'Answer not found' }).waitFor();
  });

  it('streaming switched off while the page is open: the next answer arrives as a whole, and the page says so', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await page.locator('.rail-state', { hasText: 'Live over' }).waitFor();
    await page.locator('.composer textarea').fill('Please count on');
    site.server.python('from streaming.models import StreamingSettings as S; S(enabled=False).save()');
    await expect
      .poll(async () => (await (await page.request.get(`${site.server.url}/api/config`)).json()).streaming.enabled)
      .toBe(false);
    await page.getByRole('button', { name: ASK }).click();
    const streamId = await streamAt(page);
    await page.locator('.waiting', { hasText: 'Streaming is off: the answer appears when it is finished' }).waitFor();
    await page.locator('.rail-state', { hasText: 'Streaming is off' }).waitFor();
    await untilWire(page, 'ended');

    expect(await answerOn(page)).toBe(COUNTED);
    const { lengths, wires } = await seenOn(page);
    // The waiting words, then the whole answer.
    expect(lengths.filter((length) => length > 200)).toEqual([COUNTED.length]);
    expect(wires.at(0)).toBe('waiting');
    expect((await rowOf(page, streamId)).seq).toBe(1);
  });
});
