import { renderToString } from 'katex';
import { describe, expect, test } from 'vitest';
import { drawFormula } from './drawFormula';
import { formulaOf } from './formulaSource';

const FORMULAS = [
  'x^2',
  '\\frac{a_1}{b_1} = \\sqrt[3]{x}',
  '\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}',
  '\\begin{aligned}a&=b\\\\[2pt]c&=d\\end{aligned}',
  '\\begin{array}{c|c}a&b\\\\\\hline c&d\\end{array}',
  '\\overbrace{a+b}^{n}\\xrightarrow{a}\\widehat{abc}',
  '\\boxed{x}\\cancel{x}\\color{red}{x}\\colorbox{yellow}{x}',
  '\\text{若 }\\mathbb{R}\\mathcal{L}\\left(\\frac{1}{2}\\right)',
  '\\sum_{i=1}^n \\lim_{x\\to 0} \\tag{1}',
  '\\ce{2H2 + O2 -> 2H2O}',
];

const drawn = (tex: string, isDisplay = false) =>
  drawFormula(formulaOf(isDisplay ? `\\[${tex}\\]` : `\\(${tex}\\)`));

/** The elements and attributes of a piece of HTML. */
function partsOf(html: string): string[] {
  const box = document.createElement('div');
  box.innerHTML = html;
  return [...box.querySelectorAll('*')].flatMap(({ tagName, attributes }) => [
    tagName,
    ...Array.from(attributes, ({ name, value }) => `${name}=${value}`).toSorted(),
  ]);
}

describe('drawFormula', () => {
  test.each(FORMULAS)('the sanitiser takes nothing from %s', (tex) => {
    const made = renderToString(tex, { displayMode: true, strict: 'ignore', output: 'htmlAndMathml' });
    const inItsColours = drawn(tex, true).replace(/color-mix\(in srgb, (\S+) \d+%, \w+\)/gu, '$1');
    expect(partsOf(inItsColours)).toEqual(partsOf(made));
    expect(new DOMParser().parseFromString(drawn(tex, true), 'text/html').querySelector('annotation')?.textContent).toBe(`\\[${tex}\\]`);
  });

  test.each([
    '\\href{javascript:alert(1)}{x}',
    '\\url{https://evil.test/}',
    '\\includegraphics{https://evil.test/x.png}',
    '\\htmlStyle{background:url(https://evil.test/)}{x}',
    '\\htmlClass{rail}{x}',
    '\\htmlId{app}{x}',
    '\\htmlData{a=b}{x}',
    '\\frac{a',
    '\\undefined',
    '\\def\\a{\\a\\a}\\a',
    '{'.repeat(4_000),
  ])('rejects %.40s', (tex) => {
    expect(() => drawn(tex)).toThrow(/KaTeX|not allowed|call stack/u);
  });

  test('HTML in a formula is text', () => {
    const box = document.createElement('div');
    box.innerHTML = drawn('\\text{<img src=x onerror=alert(1)><b>}');
    expect(box.querySelector('img, b')).toBeNull();
    expect(box.textContent).toContain('<img src=x onerror=alert(1)>');
  });

  test('a colour is mixed with that of the page', () => {
    const box = document.createElement('div');
    box.innerHTML = drawn('\\textcolor{black}{x}\\colorbox{#ff0}{y}\\text{;color:red;}');
    expect([...box.querySelectorAll('.katex-html [style*="color:"]')].map((each) => /[^;]*color:[^;]*/u.exec(each.getAttribute('style') ?? '')?.[0])).toEqual([
      'color:color-mix(in srgb, black 45%, currentColor)',
      'background-color:color-mix(in srgb, #ff0 30%, transparent)',
    ]);
    expect(box.querySelector('.katex-html')?.textContent).toContain(';color:red;');
  });

  test('a size is bounded', () => {
    expect(drawn('\\rule{9999em}{9999em}')).not.toContain('9999em;');
  });

  test('a macro of one formula is unknown to the next', () => {
    drawn('\\gdef\\mine{x}\\mine');
    expect(() => drawn('\\mine')).toThrow('mine');
  });

  test('a label is not shown, and a reference by its name', () => {
    const box = document.createElement('div');
    box.innerHTML = drawn('a\\label{eq:one} \\eqref{eq:two} \\ref{eq:three}', true);
    const words = box.querySelector('.katex-html')?.textContent;
    expect(words).toContain('(eq:two)');
    expect(words).toContain('eq:three');
    expect(words).not.toContain('one');
  });
});
