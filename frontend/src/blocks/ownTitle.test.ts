import { expect, it } from 'vitest';
import { ownTitle, withoutOwnHeading } from './ownTitle';

it.each([
  ['The planets', 'the planets?', true, ''],
  ['The planets', 'The planets and their moons', true, 'The planets'],
  ['The pla', 'The planets', false, ''],
  ['The pla', 'Quiz me on planets', false, 'The pla'],
  ['Water', undefined, true, 'Water'],
  ['?!', '', true, '?!'],
  ['', 'The planets', false, ''],
  ['Quiz: The planets', 'planets', true, ''],
  ['A short quiz about the planets', 'The planets', true, ''],
  ['Planets quiz', 'The planets!', true, ''],
  ['Diagram of the water cycle', 'the water cycle', true, ''],
  ['The quiz', 'A quiz', true, ''],
  ['Planets and moons', 'Planets', true, 'Planets and moons'],
  ['Quiz', 'Planets', true, ''],
  ['The Diagram', 'Planets', true, ''],
  ['Quiz', 'Planets', false, 'Quiz'],
  ['A', 'The planets', true, 'A'],
])('a title is shown unless it repeats the prompt: %s', (title, prompt, isWhole, shown) => {
  expect(ownTitle(title, prompt, isWhole)).toBe(shown);
});

it.each([
  ['# Why is it blue?\n\nBecause.', false, 'Because.'],
  ['## Why is it', true, ''],
  ['## Why is it', false, '## Why is it'],
  ['## Why is it blue?', false, '## Why is it blue?'],
  ['**Why is it blue?**\n\nBecause.', false, 'Because.'],
  ['**Why is it blue**:\nBecause.', false, 'Because.'],
  ['**Why is it', true, ''],
  ['**Why is it blue?**', true, ''],
  ['**Why is it blue?** Because.', false, '**Why is it blue?** Because.'],
  ['**Why is it blue?** Be', true, '**Why is it blue?** Be'],
  ['**Because** of air', true, '**Because** of air'],
  ['# Quiz\nOne', false, '# Quiz\nOne'],
  ['# Because of air\nText', false, '# Because of air\nText'],
  ['Why is it blue?\n', false, 'Why is it blue?\n'],
  ['```\n# Why is it blue?\n```', false, '```\n# Why is it blue?\n```'],
])('a first heading that repeats the prompt is left out: %j', (markdown, isWriting, shown) => {
  expect(withoutOwnHeading(markdown, 'Why is it blue', isWriting)).toBe(shown);
});
