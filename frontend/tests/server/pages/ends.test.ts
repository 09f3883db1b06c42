/** Answers that do not complete: stopped, failed, or lost with their server. */
import { expect, it } from 'vitest';

import { answerOn, ask, LOST_LINES, onBothTransports, rowOf, seenOn, streamAt, untilAnswerHas, untilWire, useBrowser } from '../browser';
import { COUNTED } from './words';

const browsers = useBrowser();

onBothTransports((site) => {
  it.each(['the button', 'Esc'])('%s stops the answer, and what was written stays', async (means) => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const streamId = await ask(page, 'Please count on');
    await untilAnswerHas(page, 'w020');
    if (means === 'Esc') await page.keyboard.press('Escape');
    else await page.getByRole('button', { name: 'Stop' }).click();
    await untilWire(page, 'stopped');

    const row = await rowOf(page, streamId);
    expect(row.status).toBe('cancelled');
    expect(row.text.length).toBeLessThan(COUNTED.length);
    expect(COUNTED.startsWith(row.text)).toBe(true);
    expect(await answerOn(page)).toBe(row.text.trim());
    expect((await seenOn(page)).said.at(-1)).toBe('Stopped');
    // Nothing continues in the background: the log of a running stream would grow.
    expect((await rowOf(page, streamId)).seq).toBe(row.seq);
    await page.getByRole('link', { name: 'History' }).click();
    await page.locator('.row', { hasText: 'stopped' }).first().waitFor();
  });

  it('a stopped quiz keeps the questions it has', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz');
    await ask(page, 'The planets, wait here');
    await page.locator('.quiz-question').nth(1).waitFor();
    await page.keyboard.press('Escape');
    await untilWire(page, 'stopped');
    await page.locator('.quiz-option', { hasText: 'Mercury' }).click();
    await page.locator('.quiz-end', { hasText: '1 of 1 right' }).waitFor();
  });

  it('a model that fails in mid-answer says why; trying again works', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const first = await ask(page, 'Please fail once');
    await untilWire(page, 'failed');
    const problem = page.getByRole('alert');
    const words = await problem.textContent();
    const row = await rowOf(page, first);
    expect(words).toContain('provider_interrupted');
    expect(row.error?.code).toBe('provider_interrupted');
    expect(words).toContain(row.error?.message);
    expect(words).toContain('What was written is kept.');
    expect(await answerOn(page)).toBe(row.text.trim());
    expect(row.text).toContain('w040');

    await page.getByRole('button', { name: 'Try again' }).click();
    await untilAnswerHas(page, 'This time it went well.');
    await untilWire(page, 'ended');
    expect(await problem.count()).toBe(0);
    expect(await answerOn(page)).toBe('This time it went well.');
    expect(await streamAt(page)).not.toBe(first);
  });

  it('a model that refuses says why, and that nothing was written', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await ask(page, 'Please refuse once');
    await untilWire(page, 'failed');
    expect(await page.getByRole('alert').textContent()).toContain('provider_unavailable');
    expect(await answerOn(page)).toBe('No answer.');
    await page.getByRole('button', { name: 'Try again' }).click();
    await untilAnswerHas(page, 'Back from lunch.');
    await untilWire(page, 'ended');
  });

  it('an answer continues when its server is killed and started again', async () => {
    browsers.allow(LOST_LINES);
    const page = await browsers.open(site.server, '/blocks/ask-question');
    const streamId = await ask(page, 'Please count on');
    await untilAnswerHas(page, 'w100');
    await site.server.kill();
    await untilWire(page, 'lost');
    expect(await answerOn(page)).toContain('w100');
    await site.server.listen();
    await untilAnswerHas(page, 'w300');
    await untilWire(page, 'ended');
    expect(await answerOn(page)).toBe(COUNTED);

    const row = await rowOf(page, streamId);
    expect(row.status).toBe('complete');
    expect(row.text.trim()).toBe(COUNTED);
  });
});
