import { cleanup, render, waitFor } from '@testing-library/react';
import { afterEach, describe, expect, test } from 'vitest';
import { formulaOf } from '../text/formulaSource';
import { RichMarkdown } from './RichMarkdown';

afterEach(cleanup);

/** Renders an answer and waits until its first formula is drawn. */
async function drawn(text: string): Promise<HTMLElement> {
  const { container } = render(<RichMarkdown text={text} isWriting={false} />);
  await waitFor(() => expect(container.querySelector('.formula')).toBeTruthy());
  return container;
}

/** The formulas of an answer, without their delimiters. */
function sources(container: HTMLElement): string[] {
  return [...container.querySelectorAll('annotation')].map(({ textContent }) => formulaOf(textContent ?? '').tex.trim());
}

describe('a formula', () => {
  test.each<[string, string[]]>([
    ['Energy: \\(E=mc^2\\) holds.', ['E=mc^2']],
    ['With $x_1$ and $y_1$ and $a*b*c$', ['x_1', 'y_1', 'a*b*c']],
    ['- \\[\n  a = b\n  - c\n  \\]\n- next', ['a = b\n  - c']],
    ['> $$\n> \\frac{1}{2}\n> $$', ['\\frac{1}{2}']],
    ['| a |\n|---|\n| $P(A|B)$ |', ['P(A|B)']],
    ['**Set $x$:** and [$y$](https://a.test/)', ['x', 'y']],
    ['# On $\\pi$', ['\\pi']],
    ['$$\na\n\n= b\n$$', ['a\n\n= b']],
    ['\\ce: $\\ce{H2O}$', ['\\ce{H2O}']],
    ['So:\n\n```math\nx^2\n```', ['x^2']],
    ['- a\n  ```math\n  \\[x^2\\]\n  ```', ['x^2']],
    ['\\begin{cases} 1 & x \\\\ 2 & y \\end{cases}', ['\\begin{cases} 1 & x \\\\ 2 & y \\end{cases}']],
  ])('is drawn in %j', async (text, tex) => {
    const container = await drawn(text);
    expect(sources(container)).toEqual(tex);
    expect(container.querySelector('.formula-source')).toBeNull();
  });

  test('keeps its source on the page as it was written', async () => {
    const { textContent } = await drawn('If $x<1$ & \\(y_1\\), then\n\n$$z$$');
    for (const source of ['$x<1$', '\\(y_1\\)', '$$z$$']) expect(textContent).toContain(source);
  });

  test('keeps the text around it', async () => {
    const container = await drawn('Before \\(x\\), **after $y$**.\n\n$$\nz\n$$\n---\nEnd');
    for (const formula of container.querySelectorAll('.formula')) formula.textContent = '…';
    expect([...container.querySelectorAll('p')].map(({ textContent }) => textContent)).toEqual(['Before …, after ….', '…', 'End']);
    expect(container.querySelector('h2')).toBeNull();
  });

  test('with an error is its source, as text in no colour', async () => {
    const container = await drawn('$x$ and \\(\\frac{a\\) and $\\foo_1$ and \\(\\href{https://evil.test/}{a}\\)');
    expect([...container.querySelectorAll('.formula-source')].map(({ textContent }) => textContent)).toEqual([
      '\\(\\frac{a\\)',
      '$\\foo_1$',
      '\\(\\href{https://evil.test/}{a}\\)',
    ]);
    expect(container.querySelectorAll('[style*="color"], .katex-error, a')).toHaveLength(0);
  });

  test.each([
    'It costs $5 or $10 and $',
    'Pay $$ for it',
    'from US$5 to $6, $7–$8',
    'Set $HOME/$USER.',
    '\\(x',
  ])('is not seen in %j', (text) => {
    const { container } = render(<RichMarkdown text={text} isWriting={false} />);
    expect(container.querySelector('code')).toBeNull();
  });

  test.each([
    ['`$x$ and \\(y\\)`', '$x$ and \\(y\\)'],
    ['```tex\n$$\nx_1\n$$\n```', '$$\nx_1\n$$'],
    ['```math\n\\frac{1\n```', '\\frac{1'],
    ['- a\n\n      $x$ \\(y\\)', '$x$ \\(y\\)'],
  ])('in code is code: %j', (text, code) => {
    const { container } = render(<RichMarkdown text={text} isWriting={false} />);
    expect(container.querySelector('code')?.textContent).toBe(code);
    expect(container.querySelector('.formula-source')).toBeNull();
  });

  test('in an address or in HTML gets its characters back', () => {
    const { container } = render(<RichMarkdown text={'[a](https://a.test/$x$ "$y$") <b title="$z$">'} isWriting={false} />);
    expect(container.querySelector('a')?.href).toBe('https://a.test/$x$');
    expect(container.textContent).toContain('<b title="$z$">');
  });
});

describe('while it is written', () => {
  test('a formula is its source until its end arrives; nothing else changes', () => {
    const text = 'So \\(a_1 * b_2 = \\frac{1}{2}\\) and **bold**.';
    for (let end = text.indexOf('\\(') + 2; end < text.indexOf('\\)'); end += 1) {
      const { container, unmount } = render(<RichMarkdown text={text.slice(0, end)} isWriting />);
      expect(container.textContent).toBe(text.slice(0, end));
      expect(container.querySelector('em, strong')).toBeNull();
      unmount();
    }
  });

  test('a block formula with lists and rules in it stays one formula', () => {
    const { container } = render(<RichMarkdown text={'\\[\na\n- b\n# c\n\n= d'} isWriting />);
    expect(container.querySelector('.formula-source')?.textContent).toBe('\\[\na\n- b\n# c\n\n= d');
    expect(container.querySelector('ul, h2')).toBeNull();
  });
});
