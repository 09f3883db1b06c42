import { expect, test } from 'vitest';
import { plainText } from './plainText';

test.each([
  ['The **bold** and *thin* `code()`', 'The bold and thin code()'],
  ['Is $x^2$ or \\(y\\)?', 'Is x^2 or y?'],
  ['costs $5 or $6', 'costs $5 or $6'],
  ['2 * 3 * 4, 2*3*4 and __init__', '2 * 3 * 4, 2*3*4 and __init__'],
  ['plain', 'plain'],
])('plainText of %j', (text, words) => expect(plainText(text)).toBe(words));
