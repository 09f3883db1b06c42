import { expect, it } from 'vitest';
import { ownTitle } from './ownTitle';

it.each([
  ['The planets', 'the planets?', true, ''],
  ['The planets', 'The planets and their moons', true, 'The planets'],
  ['The pla', 'The planets', false, ''],
  ['The pla', 'Quiz me on planets', false, 'The pla'],
  ['Water', undefined, true, 'Water'],
  ['?!', '', true, '?!'],
  ['', 'The planets', false, ''],
])('a title is shown unless it repeats the prompt: %s', (title, prompt, isWhole, shown) => {
  expect(ownTitle(title, prompt, isWhole)).toBe(shown);
});
