/** A browser whose session changes in mid-answer: it signs in or out, or forgets its cookies. */
import type { BrowserContext } from 'playwright-core';
import { expect, it } from 'vitest';

import { answerOn, ask, onBothTransports, untilAnswerHas, untilWire, useBrowser } from '../browser';
import { LiveServer } from '../liveServer';
import { COUNTED } from './words';

const browsers = useBrowser();

onBothTransports((site) => {
  it('a stop that the server refuses is explained, and can be tried again', async () => {
    browsers.allow(/status of 404/); // the refusal
    const visitor = await browsers.visitor();
    const page = await browsers.open(site.server, '/blocks/ask-question', visitor);
    await ask(page, 'Please count slowly');
    await untilAnswerHas(page, 'w002');
    const cookies = await visitor.cookies();
    await visitor.clearCookies({ name: 'sessionid' });
    await page.keyboard.press('Escape');
    const note = page.getByRole('alert');
    await note.filter({ hasText: 'This answer couldn’t be stopped.' }).waitFor();
    expect(await note.textContent()).toContain('You may have signed in or out, or your browser blocks cookies');
    expect(await page.locator('.wire').getAttribute('data-state')).toBe('live');

    await visitor.addCookies(cookies);
    await page.keyboard.press('Escape');
    await untilWire(page, 'stopped');
    expect(await note.count()).toBe(0);
  });

  const signIn = async (visitor: BrowserContext) => {
    const other = await browsers.open(site.server, '/account/login/', visitor);
    await other.fill('#id_login', 'admin');
    await other.fill('#id_password', LiveServer.adminPassword);
    await other.click('main button');
    await other.locator('.rail-who', { hasText: 'admin' }).waitFor();
    return other;
  };

  it('signing in in another tab takes the running answer along, and it continues here', async () => {
    const visitor = await browsers.visitor();
    const page = await browsers.open(site.server, '/blocks/ask-question', visitor);
    await ask(page, 'Please count slowly');
    await untilAnswerHas(page, 'w002');
    const other = await signIn(visitor);
    await page.waitForFunction((before) => (document.querySelector('.answer')?.textContent ?? '').length > before + 15, (await answerOn(page)).length);
    await page.keyboard.press('Escape');
    await untilWire(page, 'stopped');
    expect(COUNTED.startsWith(await answerOn(page))).toBe(true);
    expect(await page.getByRole('alert').count()).toBe(0);
    await other.goto(page.url());
    await untilWire(other, 'stopped');
  });

  it('signing out in another tab ends what this one can see, and it says so', async () => {
    browsers.allow(/status of 404/); // the stream belongs to the session that ended
    const visitor = await browsers.visitor();
    const other = await signIn(visitor);
    const page = await browsers.open(site.server, '/blocks/ask-question', visitor);
    await ask(page, 'Please count slowly');
    await untilAnswerHas(page, 'w002');
    await other.getByRole('button', { name: 'Sign out' }).click();

    const note = page.getByRole('alert');
    await note.filter({ hasText: 'You can’t follow this answer any more.' }).waitFor();
    const words = await note.textContent();
    expect(words).toContain('You may have signed in or out');
    expect(words).toContain('What has arrived stays here until you leave this page.');
    expect(words).not.toContain('not found');
    const kept = await answerOn(page);
    expect(kept.length).toBeGreaterThan(4);
    expect(COUNTED.startsWith(kept)).toBe(true);
    await page.reload();
    await page.getByRole('heading', { name: 'Answer not found' }).waitFor();
    await page.getByText('If you asked with your account, sign in to see it.').waitFor();
  });
});
