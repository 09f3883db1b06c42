import { afterEach, expect, it, vi } from 'vitest';
import * as downloads from '../download';
import { cleanDrawing } from '../drawing/diagramSvg';
import { diagramDownloads } from './diagramForms';

const drawing = cleanDrawing('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"></svg>', 'd1');

afterEach(() => {
  document.body.replaceChildren();
  document.documentElement.removeAttribute('style');
});

it.each([
  ['a page of ours', ':root', '<main></main>'],
  ['a page of another site', '.ai-block', '<main class="ai-block"></main>'],
])('a picture of a diagram has the colours of its block on %s', async (_, place, page) => {
  const saved = vi.spyOn(downloads, 'download').mockReturnValue();
  document.body.innerHTML = page;
  document.querySelector<HTMLElement>(place)?.style.setProperty('--raised', '#13222b');
  const [svg] = diagramDownloads({ title: '', nodes: [], edges: [], arriving: '', source: '' }, 'Tea', drawing);
  expect(await svg?.act()).toBe('Downloaded');
  expect(await saved.mock.calls[0]?.[0].text()).toContain('fill="#13222b"');
});
