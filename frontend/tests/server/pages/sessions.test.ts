/** A browser that loses its session in mid-answer: it signs in, or forgets its cookies. */
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

  it('signing in in another tab ends what this one can see, and it says so', async () => {
    browsers.allow(/status of 404/); // the stream belongs to the session that ended
    const visitor = await browsers.visitor();
    const page = await browsers.open(site.server, '/blocks/ask-question', visitor);
    await ask(page, 'Please count slowly');
    await untilAnswerHas(page, 'w002');
    const other = await browsers.open(site.server, '/admin/login/', visitor);
    await other.fill('#id_username', 'admin');
    await other.fill('#id_password', LiveServer.adminPassword);
    await other.click('[type=submit]');

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
  });
});
