/** A quiz as text, for copying. */
import type { QuizData } from '@liveai/client';
import { optionLetter } from './optionLetter';

/**
 * Returns the questions with their options, then the answers with explanations. Empty without
 * questions.
 */
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
