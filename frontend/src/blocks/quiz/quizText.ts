/** A quiz as text, to be pasted elsewhere. */
import type { QuizData } from '../../ai';
import { optionLetter } from './optionLetter';

/** The questions with their options, then which are right and why. Empty while there is none. */
export function quizText({ title, questions }: Pick<QuizData, 'title' | 'questions'>): string {
  if (questions.length === 0) return '';
  const asked = questions.map(({ question, options }, index) =>
    [`${index + 1}. ${question}`, ...options.map((option, at) => `   ${optionLetter(at)}. ${option}`)].join('\n'),
  );
  const right = questions.map(({ options, answer, explanation }, index) =>
    `${index + 1}. ${optionLetter(answer)}. ${options[answer] ?? ''}${explanation ? `\n   ${explanation}` : ''}`,
  );
  return [...(title ? [title] : []), ...asked, ['Answers', ...right].join('\n')].join('\n\n') + '\n';
}
