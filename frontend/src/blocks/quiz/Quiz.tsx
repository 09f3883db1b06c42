/** The questions of a quiz. Each can be answered as soon as it is complete. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { QuizData, QuizQuestion as Question } from '@liveai/client';
import { useAnnounce } from '../announce';
import { ownTitle } from '../ownTitle';
import { InlineText } from '../text/InlineText';
import { plainText } from '../text/plainText';
import { writingOf } from '../text/writing';
import { QuizQuestion } from './QuizQuestion';
import { chosenOption, scoreWords } from './quizAnswers';
import type { QuizState } from './useQuizAnswers';
import '../../look/quiz.css';

export interface QuizProps {
  data: QuizData;
  /** The prompt; a title that only repeats it is omitted. */
  prompt?: string;
  state: QuizState;
  /** Whether more questions may arrive. */
  isLive: boolean;
}

export function Quiz({ data, prompt, state, isLive }: QuizProps) {
  const { questions, arriving } = data;
  const isTitled = data.title !== '';
  const title = useHeading(ownTitle(data.title || data.arrivingTitle, prompt, isTitled), questions.length > 0);
  const { answers, score, last, choose, undo, clear } = state;
  const box = useRef<HTMLDivElement>(null);
  const say = useAnnounce();
  const chooseAndSay = useCallback(
    (question: Question, option: number) => {
      choose(question, option);
      say(verdict(question, option));
    },
    [choose, say],
  );
  const undoAndSay = useCallback(() => {
    undo();
    say('Answer undone.');
  }, [undo, say]);
  const isFirstHere = questions.length > 0;
  const wasFirstHere = useRef(isFirstHere);
  useEffect(() => {
    if (isFirstHere && !wasFirstHere.current && isLive) say('Question 1 can be answered.');
    wasFirstHere.current = isFirstHere;
  }, [isFirstHere, isLive, say]);
  const startOver = () => {
    clear();
    say('Answers cleared.');
    // The button disappears, so move the focus to the first option.
    box.current?.querySelector('input')?.focus();
  };
  const open = arriving && arriving.index >= questions.length ? arriving : undefined;
  const isWhole = score.total > 0 && score.answered === score.total && !open;

  return (
    <div className="quiz" ref={box}>
      {title && (
        <h2 className="quiz-title" {...writingOf(title)}>
          <span className={!isTitled && isLive ? 'quiz-caret' : undefined}>
            <InlineText text={title} isWriting={!isTitled && isLive} />
          </span>
        </h2>
      )}
      {Array.from({ length: questions.length + (open ? 1 : 0) }, (_, index) => {
        const question = questions[index];
        return (
          // Keyed by position: a question keeps its fieldset when it is complete.
          <QuizQuestion
            key={index}
            index={index}
            words={question?.question ?? open?.question ?? ''}
            question={question}
            isLive={isLive}
            chosen={question && chosenOption(answers, question)}
            canUndo={question?.question === last}
            onChoose={chooseAndSay}
            onUndo={undoAndSay}
          />
        );
      })}
      {score.answered > 0 && (isWhole || !isLive) && (
        <p className="quiz-end">
          <strong>{scoreWords(score, isLive)}</strong>
          <button type="button" className="button" onClick={startOver}>
            Start over
          </button>
        </p>
      )}
    </div>
  );
}

/** The heading as it was when the first question came: a later one would move the options. */
function useHeading(title: string, hasQuestions: boolean): string {
  const [held, setHeld] = useState({ title, hasQuestions });
  if (held.hasQuestions && hasQuestions) return held.title;
  if (held.title !== title || held.hasQuestions !== hasQuestions) setHeld({ title, hasQuestions });
  return title;
}

function verdict(question: Question, option: number): string {
  const words =
    option === question.answer ? 'Right.' : `Wrong. The correct answer is ${question.options[question.answer] ?? ''}.`;
  return plainText(question.explanation ? `${words} ${question.explanation}` : words);
}
