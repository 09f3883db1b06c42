/** Below an answered question: whether it was right, how to undo the choice, and why. */
import type { QuizQuestion } from '@liveai/client';
import { InlineText } from '../text/InlineText';
import { directionOf } from '../text/writing';
import { optionLetter } from './optionLetter';

export interface QuizVerdictProps {
  question: QuizQuestion;
  chosen: number;
  /** Whether the choice can be undone. If not, its place stays, so that nothing below moves. */
  canUndo: boolean;
  onUndo(): void;
}

export function QuizVerdict({ question, chosen, canUndo, onUndo }: QuizVerdictProps) {
  const { answer, explanation } = question;
  return (
    <div className="quiz-verdict">
      <p lang="en" dir="ltr">
        {chosen === answer ? <b>Right.</b> : <b data-wrong>Wrong. The correct answer is {optionLetter(answer)}.</b>}
      </p>
      <p className="quiz-undo" lang="en" dir="ltr" data-over={!canUndo || undefined}>
        <button type="button" className="button" onClick={onUndo}>
          Undo
        </button>
        <span>until you answer another question</span>
      </p>
      {explanation && (
        <p className="quiz-why" dir={directionOf(explanation)}>
          <InlineText text={explanation} />
        </p>
      )}
    </div>
  );
}
