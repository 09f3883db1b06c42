/** The score of a quiz: a pip per question, and the same in words. */
import type { QuizData } from '../../ai';
import { type QuizAnswers, chosenOption, scoreOf, scoreWords } from './quizAnswers';

export interface QuizScoreProps {
  data: QuizData;
  answers: QuizAnswers;
  /** Whether more questions may arrive. */
  isLive: boolean;
}

/** `<span>`s for the line of facts. */
export function QuizScore({ data, answers, isLive }: QuizScoreProps) {
  const { questions, arriving } = data;
  if (questions.length === 0 && !arriving) return null;
  const words = scoreWords(scoreOf(answers, questions), isLive);
  return (
    <>
      {questions.length > 0 && (
        <span>
          {questions.length} {questions.length === 1 ? 'question' : 'questions'}
          {isLive && ' so far'}
        </span>
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
      {words && <span>{words}</span>}
    </>
  );
}
