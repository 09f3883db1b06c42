/** The answers of one quiz as React state, stored on the device and synchronised between tabs. */
import { useCallback, useEffect, useState } from 'react';
import type { QuizQuestion } from '@liveai/client';
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

/** The complete questions of one stream. Nothing is stored while its id is undefined. */
export interface QuizPart {
  streamId: string | undefined;
  questions: readonly QuizQuestion[];
}

export interface QuizState {
  answers: QuizAnswers;
  score: QuizScore;
  /** The text of the question that was answered last: its choice can be undone. */
  last: string | undefined;
  /** Chooses an option. An answered question keeps its choice. */
  choose(question: QuizQuestion, option: number): void;
  /** Opens the question again that was answered last. */
  undo(): void;
  /** Clears the answers; the questions stay the same. */
  clear(): void;
}

/** @param parts - the streams that wrote the quiz. Each stores the answers to its own questions. */
export function useQuizAnswers(parts: readonly QuizPart[]): QuizState {
  const key = idsOf(parts).join(' ');
  const [held, setHeld] = useState(() => heldFor(key));
  // Questions that were added to this quiz leave its answers as they are.
  if (held.key !== key) setHeld(heldFor(key, key.startsWith(`${held.key} `) ? held.answers : NO_ANSWERS));
  const { answers } = held;

  useEffect(() => {
    const keys = new Set<string | null>(key.split(' ').filter(Boolean).map(answersKey));
    const onStorage = (event: StorageEvent) => {
      if (keys.has(event.key) || event.key === null) setHeld(heldFor(key));
    };
    addEventListener('storage', onStorage);
    return () => removeEventListener('storage', onStorage);
  }, [key]);

  useEffect(() => {
    // Also when another question arrives, because that changes the stored total.
    for (const { streamId, questions, answers: own } of answersByPart(parts, answers)) {
      if (streamId !== undefined && own.size > 0 && questions.length > 0) saveAnswers(streamId, own, scoreOf(own, questions));
    }
  }, [parts, answers]);

  const choose = useCallback((question: QuizQuestion, option: number) => {
    const words = question.options[option];
    if (words === undefined) return;
    setHeld((now) =>
      chosenOption(now.answers, question) === undefined
        ? { ...now, answers: withAnswer(now.answers, question.question, words) }
        : now,
    );
  }, []);
  const forget = useCallback(() => {
    for (const streamId of key.split(' ').filter(Boolean)) forgetAnswers(streamId);
  }, [key]);
  const undo = useCallback(() => {
    forget(); // what is left is saved again
    setHeld((now) => ({ ...now, answers: new Map([...now.answers].slice(0, -1)) }));
  }, [forget]);
  const clear = useCallback(() => {
    forget();
    setHeld((now) => ({ ...now, answers: NO_ANSWERS }));
  }, [forget]);

  const score = scoreOf(answers, parts.flatMap(({ questions }) => questions));
  return { answers, score, last: [...answers.keys()].at(-1), choose, undo, clear };
}

/** The newest answer comes last. */
function withAnswer(answers: QuizAnswers, question: string, words: string): QuizAnswers {
  const next = new Map(answers);
  next.delete(question);
  return next.set(question, words);
}

/** Splits the answers by stream. Those to questions that have not arrived yet are the last one's. */
function answersByPart(parts: readonly QuizPart[], answers: QuizAnswers) {
  let rest = [...answers];
  return parts.map((part, at) => {
    const asked = new Set(part.questions.map(({ question }) => question));
    const own = at === parts.length - 1 ? rest : rest.filter(([question]) => asked.has(question));
    rest = rest.filter((answer) => !own.includes(answer));
    return { ...part, answers: new Map(own) };
  });
}

function idsOf(parts: readonly QuizPart[]): string[] {
  return parts.flatMap(({ streamId }) => streamId ?? []);
}

function heldFor(key: string, before: QuizAnswers = NO_ANSWERS): { key: string; answers: QuizAnswers } {
  const stored = key.split(' ').filter(Boolean).flatMap((streamId) => [...loadAnswers(streamId)]);
  return { key, answers: new Map([...before, ...stored]) };
}
