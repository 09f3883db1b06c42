import { act, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { QuizData } from '@liveai/client';
import { PrintWithAnswers } from './PrintWithAnswers';

const QUIZ: QuizData = {
  title: 'Planets',
  questions: [
    { question: 'Which is red?', options: ['Venus', 'Mars', 'Earth', 'Saturn'], answer: 1, explanation: 'It is rusty.' },
    { question: 'Which has rings?', options: ['Venus', 'Mars', 'Earth', 'Saturn'], answer: 3, explanation: '' },
  ],
  arriving: undefined,
  arrivingTitle: '',
};

afterEach(() => vi.restoreAllMocks());

it('adds a page with the answers for one print only', () => {
  const printed: string[] = [];
  vi.stubGlobal('print', () => printed.push(document.querySelector('.quiz-key')?.textContent ?? ''));
  render(<PrintWithAnswers quiz={QUIZ} />);
  expect(document.querySelector('.quiz-key')).toBeNull();
  fireEvent.click(screen.getByRole('button', { name: 'Print with answers' }));
  expect(printed).toEqual(['AnswersB MarsIt is rusty.D Saturn']);
  act(() => void window.dispatchEvent(new Event('afterprint')));
  expect(document.querySelector('.quiz-key')).toBeNull();
  vi.unstubAllGlobals();
});
