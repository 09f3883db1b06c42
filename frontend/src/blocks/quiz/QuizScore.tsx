/** The score of a quiz: a pip per question, and the same in words. */
import type { QuizData } from '@liveai/client';
import { counted } from '../counted';
import { type QuizAnswers, chosenOption, scoreOf, scoreWords } from './quizAnswers';

export interface QuizScoreProps {
  data: QuizData;
  answers: QuizAnswers;
  /** Whether more questions may arrive. */
  isLive: boolean;
}

/** A `<li>` for the facts. It never takes a second line, because the options below must not move. */
export function QuizScore({ data, answers, isLive }: QuizScoreProps) {
  const { questions, arriving } = data;
  if (questions.length === 0 && !arriving) return null;
  return (
    <li className="quiz-score">
      {questions.length > 0 && (
        <span>{scoreWords(scoreOf(answers, questions), isLive) || counted(questions.length, 'question')}</span>
      )}
      <span className="quiz-pips" aria-hidden="true">
        {questions.map((question, index) => {
          const chosen = chosenOption(answers, question);
          const state = chosen === undefined ? 'open' : chosen === question.answer ? 'right' : 'wrong';
          // oxlint-disable-next-line react/no-array-index-key -- a question is identified by its position
          return <i key={index} data-state={state} />;
        })}
        {arriving && isLive && <i key={arriving.index} data-state="arriving" />}
      </span>
    </li>
  );
}
