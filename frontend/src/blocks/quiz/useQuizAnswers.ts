/** The answers of one quiz as React state, stored on the device and synchronised between tabs. */
import { useCallback, useEffect, useState } from 'react';
import type { QuizQuestion } from '../../ai';
import {
  NO_ANSWERS,
  type QuizAnswers,
  type QuizScore,
  answersKey,
  chosenOption,
  forgetAnswers,
  loadAnswers,
  saveAnswers,
  scoreOf,
} from './quizAnswers';

export interface QuizState {
  answers: QuizAnswers;
  score: QuizScore;
  /** Chooses an option. The first choice is final. */
  choose(question: QuizQuestion, option: number): void;
  /** Clears the answers; the questions stay the same. */
  clear(): void;
}

/**
 * @param streamId - the stream that the answers belong to; nothing is stored while it is undefined.
 * @param questions - the complete questions.
 */
export function useQuizAnswers(streamId: string | undefined, questions: readonly QuizQuestion[]): QuizState {
  const [held, setHeld] = useState(() => heldFor(streamId));
  if (held.streamId !== streamId) setHeld(heldFor(streamId));
  const { answers } = held;

  useEffect(() => {
    if (streamId === undefined) return undefined;
    const key = answersKey(streamId);
    const onStorage = (event: StorageEvent) => {
      if (event.key === key || event.key === null) setHeld(heldFor(streamId));
    };
    addEventListener('storage', onStorage);
    return () => removeEventListener('storage', onStorage);
  }, [streamId]);

  const { right, answered, total } = scoreOf(answers, questions);
  useEffect(() => {
    // Also when another question arrives, because that changes the stored total.
    if (streamId !== undefined && answers.size > 0 && total > 0) {
      saveAnswers(streamId, answers, { right, answered, total });
    }
  }, [streamId, answers, right, answered, total]);

  const choose = useCallback((question: QuizQuestion, option: number) => {
    const words = question.options[option];
    if (words === undefined) return;
    setHeld((now) =>
      chosenOption(now.answers, question) === undefined
        ? { ...now, answers: new Map(now.answers).set(question.question, words) }
        : now,
    );
  }, []);
  const clear = useCallback(() => {
    if (streamId !== undefined) forgetAnswers(streamId);
    setHeld((now) => ({ ...now, answers: NO_ANSWERS }));
  }, [streamId]);

  return { answers, score: { right, answered, total }, choose, clear };
}

function heldFor(streamId: string | undefined): { streamId: string | undefined; answers: QuizAnswers } {
  return { streamId, answers: streamId === undefined ? NO_ANSWERS : loadAnswers(streamId) };
}
