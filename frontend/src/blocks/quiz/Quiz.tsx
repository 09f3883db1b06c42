/** The questions of a quiz, written before one's eyes and answerable one by one. */
import { useCallback, useRef } from 'react';
import type { QuizData, QuizQuestion as Question } from '../../ai';
import { useAnnounce } from '../announce';
import { ownTitle } from '../ownTitle';
import { QuizQuestion } from './QuizQuestion';
import { chosenOption, scoreWords } from './quizAnswers';
import type { QuizState } from './useQuizAnswers';
import '../../look/quiz.css';

export interface QuizProps {
  data: QuizData;
  /** What was asked: a title that only repeats it is left out. */
  prompt?: string;
  state: QuizState;
  /** Whether more may come. */
  isLive: boolean;
}

export function Quiz({ data, prompt, state, isLive }: QuizProps) {
  const { questions, arriving } = data;
  const isTitled = data.title !== '';
  const title = ownTitle(data.title || data.arrivingTitle, prompt, isTitled);
  const { answers, score, choose, clear } = state;
  const box = useRef<HTMLDivElement>(null);
  const say = useAnnounce();
  const chooseAndSay = useCallback(
    (question: Question, option: number) => {
      choose(question, option);
      say(verdict(question, option));
    },
    [choose, say],
  );
  const startOver = () => {
    clear();
    say('Answers cleared.');
    // The button goes away, and focus must not go with it.
    box.current?.querySelector('input')?.focus();
  };
  const open = arriving && arriving.index >= questions.length ? arriving : undefined;
  const isWhole = score.total > 0 && score.answered === score.total && !open;

  return (
    <div className="quiz" ref={box}>
      {title && (
        <h2 className="quiz-title">
          <span className={!isTitled && isLive ? 'quiz-caret' : undefined}>{title}</span>
        </h2>
      )}
      {Array.from({ length: questions.length + (open ? 1 : 0) }, (_, index) => {
        const question = questions[index];
        return (
          // By place: the fieldset that was written is the one that is answered.
          <QuizQuestion
            key={index}
            index={index}
            words={question?.question ?? open?.question ?? ''}
            question={question}
            isLive={isLive}
            chosen={question && chosenOption(answers, question)}
            onChoose={chooseAndSay}
          />
        );
      })}
      {score.answered > 0 && (isWhole || !isLive) && (
        <p className="quiz-end">
          <strong>{scoreWords(score, isLive)}</strong>
          <button type="button" className="button" onClick={startOver}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}

function verdict(question: Question, option: number): string {
  const words =
    option === question.answer ? 'Right.' : `Wrong. The right answer is ${question.options[question.answer] ?? ''}.`;
  return question.explanation ? `${words} ${question.explanation}` : words;
}
