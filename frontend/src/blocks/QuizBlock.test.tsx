import { cleanup, render, screen } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QuizBlock } from './QuizBlock';
import { score } from './quiz/quizAnswers';
import { STREAM_ID, aBlock, aResource } from './shellFixtures';

const BLOCK = aBlock({ slug: 'quiz', title: 'Quiz', output: 'quiz' });
const QUESTIONS = ['Which is hottest?', 'Which is largest?'].map((question) => ({
  question,
  options: ['Mercury', 'Venus', 'Jupiter', 'Mars'],
  answer: question.includes('hottest') ? 1 : 2,
  explanation: 'So it is.',
}));
const ITEMS = [
  { path: '/title', value: 'The planets' },
  ...QUESTIONS.map((value, index) => ({ path: `/questions/${index}`, value })),
];
const STORED = { block_type: 'quiz', prompt: 'The planets', options: { difficulty: 'medium' }, text: '', items: ITEMS };

beforeEach(() => localStorage.clear());
afterEach(cleanup);

describe('a stored quiz', () => {
  it('can be answered, and its score is stored under its stream', async () => {
    const user = userEvent.setup();
    render(<QuizBlock block={BLOCK} stream={aResource(STORED)} />);
    expect(screen.getByText('Quiz, medium')).toBeTruthy();
    await user.click(screen.getAllByRole('radio', { name: 'Venus' })[0] as HTMLElement);
    await user.click(screen.getAllByRole('radio', { name: 'Mars' })[1] as HTMLElement);
    expect(screen.getAllByText('1 of 2 right')).toHaveLength(2);
    expect(score(STREAM_ID)).toEqual({ right: 1, answered: 2, total: 2 });
    cleanup();
    render(<QuizBlock block={BLOCK} stream={aResource(STORED)} />);
    expect(screen.getAllByText('1 of 2 right')).toHaveLength(2);
  });

  it.each(['error', 'cancelled'] as const)('keeps its complete questions answerable after it ended as %s', async (status) => {
    const user = userEvent.setup();
    const error = status === 'error' ? { code: 'provider_interrupted', message: 'Cut.', retryable: true } : null;
    render(<QuizBlock block={BLOCK} stream={aResource({ ...STORED, status, error, items: ITEMS.slice(0, 2) })} />);
    await user.click(screen.getByRole('radio', { name: 'Venus' }));
    expect(screen.getByRole('radio', { name: 'Venus Right' })).toHaveProperty('checked', true);
  });

  it('is a quiz under any slug that an admin chooses', () => {
    render(<QuizBlock block={{ ...BLOCK, slug: 'vocabulary' }} stream={aResource(STORED)} />);
    expect(screen.getAllByRole('radio')).toHaveLength(8);
  });
});
