/** A model that reasons before it writes, and one that declines. */
import { expect, it } from 'vitest';

import { answerOn, ask, onBothTransports, rowOf, seenOn, untilAnswerHas, untilWire, useBrowser } from '../browser';

const browsers = useBrowser();

onBothTransports((site) => {
  it.each(['ask-question', 'quiz'])('%s says that the model thinks, then for how long it thought', async (block) => {
    const page = await browsers.open(site.server, `/blocks/${block}`);
    const streamId = await ask(page, 'Please think first');
    await page.locator('.waiting', { hasText: /^Thinking…[12] s$/ }).waitFor();
    await untilWire(page, 'ended');
    expect(await page.locator('.facts').textContent()).toMatch(/Thought for [3-9] s/);
    expect(await answerOn(page)).not.toContain('Think');

    const { said, lengths } = await seenOn(page);
    expect(said.filter((words) => words === 'Thinking')).toHaveLength(1);
    expect(said.indexOf('Generating')).toBeGreaterThan(said.indexOf('Thinking'));
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(JSON.stringify(await rowOf(page, streamId))).not.toMatch(/thinking/i);

    await page.reload();
    await untilWire(page, 'ended');
    expect(await page.locator('.facts').textContent()).not.toContain('Thought');
  });

  it('a second tab that opens meanwhile sees the thinking as well', async () => {
    const visitor = await browsers.visitor();
    const page = await browsers.open(site.server, '/blocks/ask-question', visitor);
    const streamId = await ask(page, 'Please think first');
    const second = await browsers.open(site.server, `/streams/${streamId}`, visitor);
    await second.locator('.waiting', { hasText: /^Thinking…[1-3] s$/ }).waitFor();
    await untilAnswerHas(second, 'because of the air.');
    expect(await second.locator('.facts').textContent()).toContain('Thought for');
  });

  it.each([
    ['Bitte ablehnen', 'Es tut mir leid, aber dabei kann ich nicht helfen.', 'ltr'],
    ['please decline in Arabic', 'عذرًا، لا أستطيع المساعدة في هذا الطلب.', 'rtl'],
  ])('a quiz that is declined (%s) shows the model’s own words, now and later', async (prompt, words, direction) => {
    const page = await browsers.open(site.server, '/blocks/quiz');
    const streamId = await ask(page, prompt);
    await untilWire(page, 'failed');
    const check = async () => {
      const note = page.getByRole('alert');
      expect(await note.locator('p').allInnerTexts()).toEqual(['The model declined to answer.', words]);
      const own = note.locator('.refusal-words');
      expect(await own.evaluate((element) => getComputedStyle(element).direction)).toBe(direction);
      expect(await page.locator('.answer [role=alert]').count()).toBe(1);
      expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
    };
    await check();
    expect((await rowOf(page, streamId)).error).toEqual({ code: 'refused', message: words, retryable: false });
    await page.reload();
    await untilWire(page, 'failed');
    await check();
    await page.getByRole('link', { name: 'History' }).click();
    await page.locator('.row', { hasText: 'declined to answer' }).first().waitFor();
  });

  it('a text block shows a refusal as its answer', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await ask(page, 'Bitte ablehnen');
    await untilWire(page, 'ended');
    expect(await answerOn(page)).toBe('Es tut mir leid, aber dabei kann ich nicht helfen.');
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('a model that declines half way keeps what it wrote', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await ask(page, 'Please decline half way');
    await untilWire(page, 'failed');
    expect(await answerOn(page)).toBe('The first half.');
    expect(await page.getByRole('alert').locator('p').allInnerTexts()).toEqual([
      'The model declined to answer. What was written is kept.',
      'I would rather not go on with this.',
    ]);
  });
});
