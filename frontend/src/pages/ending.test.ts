import { describe, expect, it } from 'vitest';

import { endingOf } from './ending';
import { stream } from './fixtures';

const failedWith = (code: string) => stream({ status: 'error', error: { code, message: 'x', retryable: true } });

describe('the state of an answer', () => {
  it.each([
    ['waiting', 'waiting', stream({ status: 'queued' })],
    ['live', 'writing', stream({ status: 'running' })],
    ['stopped', 'stopped', stream({ status: 'cancelled' })],
    ['failed', 'model unavailable', failedWith('provider_unavailable')],
    ['failed', 'declined to answer', failedWith('refused')],
    ['failed', 'failed', failedWith('something_new')],
    ['ended', '1 word', stream({ text: ' Yes. ' })],
    ['ended', '0 words', stream({ text: '' })],
    ['ended', '1,200 words', stream({ text: 'word '.repeat(1_200) })],
    ['ended', '5 questions', stream({ result: { questions: [1, 2, 3, 4, 5] } })],
    ['ended', '1 step, 0 links', stream({ result: { nodes: [1], edges: [] } })],
    ['ended', '2 fields', stream({ result: { name: 'x', age: 1 } })],
  ])('is %s: %s', (mark, words, row) => {
    expect(endingOf(row)).toEqual({ mark, words });
  });

  it('is a quiz’s score once something was answered', () => {
    const quiz = stream({ result: { questions: [1, 2, 3] } });
    expect(endingOf(quiz, { right: 0, answered: 0 }).words).toBe('3 questions');
    expect(endingOf(quiz, { right: 1, answered: 2 }).words).toBe('1 of 2 right');
    expect(endingOf(quiz, { right: 2, answered: 3 }).words).toBe('2 of 3 right');
  });
});
