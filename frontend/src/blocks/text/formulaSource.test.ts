import { describe, expect, test } from 'vitest';
import { formulasIn, hideFormulas, revealed } from './formulaSource';

/** The formulas of a text, as "source" or, if they have a line of their own, "source (display)". */
function found(text: string, isWriting = false): string[] {
  return formulasIn(hideFormulas(text, isWriting))
    .filter((part) => typeof part !== 'string')
    .map(({ tex, isDisplay, isOpen }) => tex + (isDisplay ? ' (display)' : '') + (isOpen ? ' (open)' : ''));
}

describe('a formula', () => {
  test.each<[string, string[]]>([
    ['Energy: \\(E=mc^2\\) holds.', ['E=mc^2']],
    ['\\[\n\\frac{a_1}{b_1} = \\sqrt{x}\n\\]', ['\n\\frac{a_1}{b_1} = \\sqrt{x}\n (display)']],
    ['$$\n\\int_0^1 x^2 dx\n$$', ['\n\\int_0^1 x^2 dx\n (display)']],
    ['inline $$a$$ display', ['a (display)']],
    ['With $x_1$ and $y_1$ and $a*b*c$', ['x_1', 'y_1', 'a*b*c']],
    ['设$x$为实数，$y=2$。', ['x', 'y=2']],
    ['the $n$th term, $k$-th, ($x$), $x$, $y$.', ['n', 'k', 'x', 'x', 'y']],
    ['$5x + 3 = 2$ and $5$', ['5x + 3 = 2', '5']],
    ['$5\\%$ and $\\$5 + 1$', ['5\\%', '\\$5 + 1']],
    ['\\begin \\[ a \\\\[2pt] b \\]', [' a \\\\[2pt] b  (display)']],
    ['- \\[\n  a\n  - b\n  \\]\n- c', ['\n  a\n  - b\n   (display)']],
    ['> $$\n> a\n> b\n> $$', ['\na\nb\n (display)']],
    ['$$\na\n\nb\n$$', ['\na\n\nb\n (display)']],
    ['| $P(A|B)$ | \\(\\|x\\|\\) |', ['P(A|B)', '|x|']],
    ['Cost \\$5 but $x$', ['x']],
    ['\\begin{align*}\na &= b \\\\\n\nc &= d\n\\end{align*}', ['\\begin{align*}\na &= b \\\\\n\nc &= d\n\\end{align*} (display)']],
    ['**$x$** and *\\(y\\)*', ['x', 'y']],
    ['a $ \\frac{1}{2} $ b', [' \\frac{1}{2} ']],
    ['\\begin{pmatrix}\n1 & 2 \\\\\n3 & 4\n\\end{pmatrix}', ['\\begin{pmatrix}\n1 & 2 \\\\\n3 & 4\n\\end{pmatrix} (display)']],
    ['> \\begin{cases} 1 \\\\ 2 \\end{cases}', ['\\begin{cases} 1 \\\\ 2 \\end{cases} (display)']],
    ['\\(\\{1, 2\\}\\) and \\([0, 1)\\)', ['\\{1, 2\\}', '[0, 1)']],
    ['\\[1\\]\n', ['1 (display)']],
  ])('is found in %j', (text, formulas) => expect(found(text)).toEqual(formulas));

  test.each([
    'It costs $5 or $10 and $',
    'Write \\begin{align}x\\end{align} around it',
    '\\begin{document}\nx\n\\end{document}',
    'costs $5 and $6',
    'from $5–$10, or US$5, A$7 and R$8',
    '$5, $6; $7.50/$8.50, $5M/$6M',
    'from $ 5 to $ 6, or 7 $ and 8 $',
    'I have $20. You owe me 30$.',
    '20$ and 30$',
    'Pay $$ for it',
    'Restaurants: $$ – moderate, $$ – cheap, $$$ – dear',
    '$$ is dear.\n\nSee a_b: $$ is cheaper.',
    '$HOME/$USER and $PATH',
    'echo "$a" "$b"',
    'As shown \\[1\\], or \\[see below\\].',
    '- \\[ \\] to do\n- \\[x\\] done',
    '`$x$` and ``\\(y\\)``',
    '```tex\n$$\nx\n$$\n```\n',
    '- a\n\n  ```\n  $x^2$\n  ```\n',
    '~~~\n$x$',
    'https://a.test/?a=$b$c',
    '\\\\(x\\\\)',
    '\\(x\n\ny\\)',
    '$x\n$',
    '$a `b$` c',
    '\\(\\)',
  ])('is not found in %j', (text) => {
    expect(found(text)).toEqual([]);
    expect(hideFormulas(text, false)).toBe(text);
  });

  test('that is too long is text', () => {
    expect(found(`\\(x${'+x'.repeat(3_000)}\\)`)).toEqual([]);
  });

  test('does not turn into a heading by the dashes below it', () => {
    expect(hideFormulas('$$x$$\n---\n', false)).toMatch(/\n\n---\n$/u);
  });
});

describe('a formula that is being written', () => {
  test.each<[string, string[]]>([
    ['So \\(E=mc', ['E=mc (open)']],
    ['So \\(', [' (open)']],
    ['\\[\n\\frac{a_1', ['\n\\frac{a_1 (display) (open)']],
    ['$$\n\\int', ['\n\\int (display) (open)']],
    ['\\begin{gather}\nx', ['\\begin{gather}\nx (display) (open)']],
    ['So $\\frac{a}{b', ['\\frac{a}{b (open)']],
    ['So $x + \\pi', ['x + \\pi (open)']],
    ['So $ \\frac{a', [' \\frac{a (open)']],
    ['It costs $x', []],
    ['It costs $5 in C:\\x', []],
    ['It costs $5', []],
    ['Pay $$ for it', []],
    ['as \\[see below', []],
    ['\\(x\\) and `\\(y', ['x', 'y (open)']],
  ])('%j', (text, formulas) => expect(found(text, true)).toEqual(formulas));
});

test('a hidden text can be revealed, whatever it contains', () => {
  const text = 'a \\(😀 | ` * _\\) b\n\n> $$\n> x\n> $$';
  const hidden = hideFormulas(text, false);
  expect(hidden).not.toMatch(/[`*_|\\]/u);
  expect(revealed(hidden)).toBe('a \\(😀 | ` * _\\) b\n\n> $$\nx\n$$');
});

// With quadratic work, this would take minutes.
test.each(['\\(', '\\[', '$a ', '$$ ', '$$ $a', '$a$', '\\(a\\)', '`', '` `` ', '> ', '- ', '$', '\\[ $$ ', '```\n', '\n\\[\na'])(
  'a long text of %j takes linear time',
  (piece) => {
    const text = piece.repeat(80_000);
    expect(revealed(hideFormulas(text, true))).toBe(text);
  },
);
