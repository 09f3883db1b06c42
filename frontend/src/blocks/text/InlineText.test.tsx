import { cleanup, render, waitFor } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { InlineText } from './InlineText';

afterEach(cleanup);

beforeAll(async () => {
  // Until the parser is loaded, a line is plain.
  const { container } = render(<InlineText text="**x**" />);
  await waitFor(() => {
    if (!container.querySelector('strong')) throw new Error('The parser is not loaded yet.');
  });
});

function shown(text: string, isWriting = false): HTMLElement {
  return render(<InlineText text={text} isWriting={isWriting} />).container;
}

describe('a line', () => {
  test.each([
    ['What does `len(x)` return?', 'What does <code dir="ltr">len(x)</code> return?'],
    ['**Bold**, *italic* and _italic_', '<strong>Bold</strong>, <em>italic</em> and <em>italic</em>'],
    ['**重要：**请', '<strong>重要：</strong>请'],
    ['`$HOME` and `\\(x\\)`', '<code dir="ltr">$HOME</code> and <code dir="ltr">\\(x\\)</code>'],
  ])('has code, bold and italics: %s', (text, html) => {
    expect(shown(text).innerHTML).toBe(html);
  });

  test.each([
    '1. 5 * 3 and * 2',
    '# not a heading',
    '- 5',
    '> 5',
    '    indented *',
    '+ 7',
    '2*3*4 = 24',
    'a*b*c',
    '2**3**4',
    'What does __init__ do?',
    'The capital of France is ____.',
    '___ is the capital, and ___ a river',
    'hello_world and _private',
    '\\d+\\.\\d+ matches',
    'C:\\Users\\x',
    'What does &lt; or &amp; mean? *',
    '<b>bold</b> <img src=x onerror=alert(1)> *',
    '[a](https://a.test/) ![b](https://a.test/) *',
    '[x]: https://a.test/ `',
    '<https://a.test/> *',
    'It costs $5 or $6',
    'a ` tick',
    '***',
    '```',
    '~~~ *',
    '| a | b | *',
    'x\n---\n*',
  ])('is otherwise shown as written: %j', (text) => {
    const line = shown(text);
    expect(line.textContent).toBe(text.trim());
    expect(line.children).toHaveLength(0);
  });

  test('shows lines of code as lines', () => {
    const line = shown('What does this print?\n```python\nx = 1\nprint(x)\n```');
    expect(line.querySelector('code')?.textContent).toBe('x = 1\nprint(x)');
    expect(line.textContent).toBe('What does this print?\nx = 1\nprint(x)');
  });

  test('shows a mark that is escaped', () => {
    expect(shown('\\*a\\* costs \\$5').textContent).toBe('*a* costs $5');
  });

  test.each(['Solve \\(x^2 = 4\\).', 'Solve $x^2 = 4$.', 'Solve $$x^2 = 4$$.', 'Solve \\[x^2 = 4\\].'])('draws formulas: %s', async (text) => {
    const line = shown(text);
    await waitFor(() => expect(line.querySelector('.formula annotation')?.textContent).toContain('x^2 = 4'));
    expect(line.textContent).toMatch(/^Solve .*\.$/u);
  });

  test('closes its open marks while it is written, and shows every letter', () => {
    expect(shown('Is **bol', true).innerHTML).toBe('Is <strong>bol</strong>');
    expect(shown('Is `cod', true).innerHTML).toBe('Is <code dir="ltr">cod</code>');
    expect(shown('Is $5 and \\(x', true).textContent).toBe('Is $5 and \\(x');
    expect(shown('Is **bol', false).innerHTML).toBe('Is **bol');
  });
});
