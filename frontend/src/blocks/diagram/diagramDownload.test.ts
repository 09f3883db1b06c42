import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { standaloneSvg } from './diagramDownload';
import { cleanDrawing } from '../drawing/diagramSvg';
import { download, fileNameOf } from '../download';

const drawing = (label: string) =>
  cleanDrawing(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><g class="node" id="d1-draft-flowchart-n1-0"><text>${label}</text></g></svg>`,
    'd1',
  );

afterEach(() => vi.unstubAllGlobals());

describe('a diagram as a file', () => {
  it('is self-contained: it includes its colours and a margin', () => {
    const one = drawing('Mix');
    one.svg.querySelector('.node')?.classList.add('is-newest');
    const css = readFileSync(resolve(import.meta.dirname, '../../look/drawing.css'), 'utf8');
    const text = standaloneSvg(one, (name) => (name === '--ink' ? '#0f2230' : `"${name}"`), css);
    expect(text).toContain('fill: #0f2230');
    expect(text).not.toContain('var(');
    expect(text).not.toContain('is-newest');
    const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
    expect(parsed.querySelector('parsererror')).toBeNull();
    expect(parsed.documentElement.getAttribute('viewBox')).toBe('-24 -24 148 98');
    expect(parsed.documentElement.getAttribute('width')).toBe('148');
    expect(parsed.querySelector('text')?.textContent).toBe('Mix');
    expect(one.svg.getAttribute('viewBox')).toBe('0 0 100 50');
  });

  it('is well formed whatever a label contains, and can be put into a URL', () => {
    const one = drawing('x');
    const text = one.svg.querySelector('text');
    if (text) text.textContent = 'a\ud83db\uffffc <&>';
    const file = standaloneSvg(one, () => 'red');
    expect(() => encodeURIComponent(file)).not.toThrow();
    const parsed = new DOMParser().parseFromString(file, 'image/svg+xml');
    expect(parsed.querySelector('text')?.textContent).toBe('a\ufffdb\ufffdc <&>');
  });

  it('is downloaded under its name', () => {
    vi.stubGlobal('URL', { createObjectURL: () => 'blob:one', revokeObjectURL: () => undefined });
    const clicked: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function click(this: HTMLAnchorElement) {
      clicked.push(`${this.download} ${this.href}`);
    });
    download(new Blob(['x']), 'bread.svg');
    expect(clicked).toEqual(['bread.svg blob:one']);
  });
});

it.each([
  ['How bread is baked', 'how-bread-is-baked.svg'],
  ['../../etc/passwd', 'etc-passwd.svg'],
  ['Éléments – 水!', 'elements-水.svg'],
  ['…', 'answer.svg'],
  ['', 'answer.svg'],
  ['a'.repeat(300), `${'a'.repeat(60)}.svg`],
])('a file is named after the diagram: %s', (title, name) => {
  expect(fileNameOf(title, 'svg')).toBe(name);
});
