/**
 * The answers to a quiz, stored on this device. An answer is stored as text, not as an index.
 * If the questions are generated again, an old answer cannot be attributed to a new question.
 */
import type { QuizQuestion } from '@liveai/client';

/** Maps a question's text to the chosen option's text. A quiz never repeats a question. */
export type QuizAnswers = ReadonlyMap<string, string>;

export interface QuizScore {
  right: number;
  answered: number;
  /** The number of questions at the time of saving. */
  total: number;
}

export const NO_ANSWERS: QuizAnswers = new Map();

const PREFIX = 'liveai.quiz.';

/** The storage key of a stream's answers, as it appears in a `storage` event. */
export function answersKey(streamId: string): string {
  return PREFIX + streamId;
}

/** Returns the index of the chosen option; undefined if the question is open. */
export function chosenOption(answers: QuizAnswers, question: QuizQuestion): number | undefined {
  const words = answers.get(question.question);
  const index = words === undefined ? -1 : question.options.indexOf(words);
  return index === -1 ? undefined : index;
}

export function scoreOf(answers: QuizAnswers, questions: readonly QuizQuestion[]): QuizScore {
  const chosen = questions.map((question) => chosenOption(answers, question));
  return {
    right: chosen.filter((option, index) => option !== undefined && option === questions[index]?.answer).length,
    answered: chosen.filter((option) => option !== undefined).length,
    total: questions.length,
  };
}

/** "2 of 3 right", or "1 of 2 right so far"; empty if nothing was answered. */
export function scoreWords({ right, answered, total }: QuizScore, isLive = false): string {
  if (answered === 0) return '';
  return !isLive && answered === total ? `${right} of ${total} right` : `${right} of ${answered} right so far`;
}

/** Loads the answers to a stream's questions; empty if none are stored or storage is blocked. */
export function loadAnswers(streamId: string): QuizAnswers {
  const kept = read(streamId);
  return kept ? new Map(kept.answers) : NO_ANSWERS;
}

/** Saves the answers. An empty map forgets the quiz. */
export function saveAnswers(streamId: string, answers: QuizAnswers, reached: QuizScore): void {
  if (answers.size === 0) return forgetAnswers(streamId);
  const entries = [...answers];
  const kept = read(streamId);
  // The stored record has the same answers and more questions: it comes from a tab, or an earlier
  // load, that had received more.
  if (kept && kept.total > reached.total && JSON.stringify(kept.answers) === JSON.stringify(entries)) return;
  const words = JSON.stringify({ answers: entries, ...reached });
  try {
    if (localStorage.getItem(answersKey(streamId)) !== words) localStorage.setItem(answersKey(streamId), words);
  } catch {
    // Storage is full or blocked: the answers last as long as the page.
  }
}

/** Forgets the answers of a stream that is deleted from history. */
export function forgetAnswers(streamId: string): void {
  try {
    localStorage.removeItem(answersKey(streamId));
  } catch {
    // Storage is blocked, so nothing was stored either.
  }
}

/** Returns the score of a quiz; undefined if it was not answered on this device. */
export function score(streamId: string): QuizScore | undefined {
  const kept = read(streamId);
  return kept && { right: kept.right, answered: kept.answered, total: kept.total };
}

type Kept = QuizScore & { answers: [string, string][] };

function read(streamId: string): Kept | undefined {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(answersKey(streamId)) ?? 'null');
    return isKept(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isKept(value: unknown): value is Kept {
  if (typeof value !== 'object' || value === null) return false;
  const { answers, right, answered, total } = value as Record<string, unknown>;
  return (
    [right, answered, total].every((count) => Number.isSafeInteger(count)) &&
    Array.isArray(answers) &&
    answers.every(
      (pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string'),
    )
  );
}
