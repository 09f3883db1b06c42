/** Each block from the prompt to the end of its answer. */
import { beforeAll, expect, it } from 'vitest';

import { ASK, answerOn, ask, onBothTransports, rowOf, seenOn, TRANSPORT_WORDS, untilAnswerHas, untilWire, useBrowser } from '../browser';
import { addAdminsBlocks } from './adminsBlocks';

const browsers = useBrowser();

onBothTransports((site) => {
  beforeAll(() => addAdminsBlocks(site.server));

  it.each([
    ['ask-question', 'Why is the sky blue?', 'So the sky is blue.'],
    ['explain-eli10', 'The sky', 'big box of crayons'],
    ['letter', 'To my landlord', 'So the sky is blue.'],
  ])('the text of %s grows while it is written', async (slug, prompt, words) => {
    const page = await browsers.open(site.server, `/blocks/${slug}`);
    const streamId = await ask(page, prompt);
    await untilWire(page, 'ended');

    expect(await page.locator('h1').textContent()).toBe(prompt);
    await untilAnswerHas(page, words);
    const seen = await seenOn(page);
    const grown = seen.lengths.filter((length, at) => length > (seen.lengths[at - 1] ?? 0));
    expect(grown.length).toBeGreaterThan(1); // a page renders rarely on a busy machine
    expect(seen.wires).toEqual(['waiting', 'live', 'ended']);
    const facts = await page.locator('.facts').textContent();
    expect(facts).toContain(TRANSPORT_WORDS[site.transport]);
    expect(facts).toMatch(/Started in\s*\d/);
    expect((await rowOf(page, streamId)).status).toBe('complete');
    await page.getByRole('button', { name: 'Regenerate' }).waitFor();
  });

  it('markdown becomes headings, lists, marks and code', async () => {
    const page = await browsers.open(site.server, '/blocks/ask-question');
    await ask(page, 'Why is the sky blue?');
    await untilWire(page, 'ended');
    await page.locator('.answer .prose').getByRole('heading', { name: 'Why the sky is blue' }).waitFor();
    expect(await page.locator('.answer .prose li').count()).toBe(2);
    expect(await page.locator('.answer .prose strong').textContent()).toBe('mix of all colours');
    await page.locator('.answer .prose pre', { hasText: "print('sky')" }).waitFor();
    expect(await answerOn(page)).not.toContain('**');
  });

  it('questions of a quiz are answered one by one while the rest is written', async () => {
    const page = await browsers.open(site.server, '/blocks/quiz');
    const streamId = await ask(page, 'The planets');
    const questions = page.locator('.quiz-question');
    const options = (question: number) => questions.nth(question).getByRole('radio');
    const optionOf = (question: number, words: string) =>
      questions.nth(question).locator('.quiz-option', { hasText: words });

    await options(0).first().waitFor();
    expect(await page.locator('.answer').getAttribute('aria-busy')).toBe('true');
    await optionOf(0, 'Mercury').click();
    await optionOf(0, 'Mercury').getByText('Right', { exact: true }).waitFor();
    await questions.nth(0).getByText('eighty-eight days').waitFor();
    expect(await page.locator('.answer').getAttribute('aria-busy')).toBe('true');

    await untilWire(page, 'ended');
    const { answerable } = await seenOn(page);
    // Before the first question, then one after the other.
    expect(answerable.filter((count) => count > 0).slice(0, 2)).toEqual([1, 2]);
    await optionOf(1, 'Neptune').click();
    await optionOf(1, 'Neptune').getByText('Your answer – wrong').waitFor();
    await optionOf(1, 'Saturn').getByText('Correct answer').waitFor();
    await optionOf(2, 'Mars').click();
    await page.locator('.quiz-end', { hasText: '2 of 3 right' }).waitFor();

    await page.reload();
    await page.locator('.quiz-end', { hasText: '2 of 3 right' }).waitFor();
    await optionOf(1, 'Neptune').getByText('Your answer – wrong').waitFor();
    expect(new URL(page.url()).pathname).toBe(`/streams/${streamId}`);

    await page.getByRole('link', { name: 'History' }).click();
    await page.locator('.row', { hasText: '2 of 3 right' }).waitFor();
  });

  it('a diagram grows node by node', async () => {
    const page = await browsers.open(site.server, '/blocks/diagram');
    const streamId = await ask(page, 'How bread is baked');
    await untilWire(page, 'ended');
    await expect.poll(async () => (await seenOn(page)).parts.at(-1)).toBe(6 + 5);

    const { parts } = await seenOn(page);
    expect(parts.filter((count) => count > 0).length).toBeGreaterThan(2);
    expect(parts.toSorted((one, other) => one - other)).toEqual(parts);
    await page.locator('.diagram-board svg').getByText('Let the dough rise').waitFor();
    await page.locator('.diagram-board svg').getByText('an hour').waitFor();
    const { result } = await rowOf(page, streamId);
    expect(result?.['nodes']).toHaveLength(6);

    await page.getByRole('button', { name: 'Show as text' }).click();
    await page.locator('.diagram-text').getByText('Heat the oven', { exact: true }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    await page.getByRole('menuitem', { name: 'Download PNG' }).click();
    expect((await download).suggestedFilename()).toMatch(/\.png$/);
  });

  it('a block of named fields that an admin added has a page', async () => {
    const page = await browsers.open(site.server, '/');
    await page.getByRole('link', { name: 'Recipe' }).click();
    await ask(page, 'Pancakes');
    await untilWire(page, 'ended');
    const answer = page.locator('.answer');
    expect(await answer.locator('dt').allTextContents()).toEqual(['Name', 'Servings', 'Is vegan', 'Ingredients', 'Story']);
    expect(await answer.locator('li').count()).toBe(4);
    const { lengths } = await seenOn(page);
    expect(lengths.length).toBeGreaterThan(8);
  });

  it('the first page can ask any kind of block', async () => {
    const page = await browsers.open(site.server, '/');
    await page.locator('.composer textarea').fill('The planets');
    await page.locator('.segment-choice', { hasText: 'Quiz' }).click();
    await page.getByRole('button', { name: ASK }).click();
    await page.waitForURL(/\/streams\//);
    await page.locator('.quiz-question').nth(2).getByRole('radio').first().waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'What would you like to understand?' }).waitFor();
    await page.locator('.home-recent .row', { hasText: 'The planets' }).waitFor();
  });
});
