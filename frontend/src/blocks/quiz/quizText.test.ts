import { expect, it } from 'vitest';
import { quizText } from './quizText';

it('is a text with the questions first and the answers below', () => {
  const text = quizText({
    title: 'The planets',
    questions: [
      { question: 'Which is hottest?', options: ['Mercury', 'Venus'], answer: 1, explanation: 'Its air.' },
      { question: 'Which is largest?', options: ['Jupiter', 'Mars'], answer: 0, explanation: '' },
    ],
  });
  expect(text).toBe(`The planets

1. Which is hottest?
   A. Mercury
   B. Venus

2. Which is largest?
   A. Jupiter
   B. Mars

Answers
1. B. Venus
   Its air.
2. A. Jupiter
`);
});

it('is empty without questions, so that there is nothing to copy', () => {
  expect(quizText({ title: 'The planets', questions: [] })).toBe('');
});
