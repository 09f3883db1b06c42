/**
 * What was answered in a quiz, kept on this device. An answer is kept by its words, not by its
 * number: should the questions be written anew, an old answer can't be taken for one of a new question.
 */
import type { QuizQuestion } from '../../ai';

/** The words of the chosen option by the words of its question; a quiz never has two the same. */
export type QuizAnswers = ReadonlyMap<string, string>;

export interface QuizScore {
  right: number;
  answered: number;
  /** Questions there were when it was kept. */
  total: number;
}

export const NO_ANSWERS: QuizAnswers = new Map();

const PREFIX = 'liveai.quiz.';

/** The name under which a stream's answers are kept; what a `storage` event speaks of. */
export function answersKey(streamId: string): string {
  return PREFIX + streamId;
}

/** The number of the option that was chosen; undefined where there was none yet. */
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

/** "2 of 3 right", or "1 of 2 right so far"; empty where nothing was answered. */
export function scoreWords({ right, answered, total }: QuizScore, isLive = false): string {
  if (answered === 0) return '';
  return !isLive && answered === total ? `${right} of ${total} right` : `${right} of ${answered} right so far`;
}

/** The answers to a stream's questions; none where the device keeps none, or can't. */
export function loadAnswers(streamId: string): QuizAnswers {
  const kept = read(streamId);
  return kept ? new Map(kept.answers) : NO_ANSWERS;
}

/** Keep the answers; without any, forget the quiz. */
export function saveAnswers(streamId: string, answers: QuizAnswers, reached: QuizScore): void {
  if (answers.size === 0) return forgetAnswers(streamId);
  const entries = [...answers];
  const kept = read(streamId);
  // The same answers with more questions: kept by a tab, or before a reload, that was further on.
  if (kept && kept.total > reached.total && JSON.stringify(kept.answers) === JSON.stringify(entries)) return;
  try {
    localStorage.setItem(answersKey(streamId), JSON.stringify({ answers: entries, ...reached }));
  } catch {
    // Full, or not allowed: the answers hold as long as the page.
  }
}

/** For a stream that is removed from history. */
export function forgetAnswers(streamId: string): void {
  try {
    localStorage.removeItem(answersKey(streamId));
  } catch {
    // Not allowed: then nothing was kept either.
  }
}

/** What was reached in a quiz; undefined where none of it was answered on this device. */
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
