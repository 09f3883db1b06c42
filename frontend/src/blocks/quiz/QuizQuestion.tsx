/** One question of a quiz in each of its states: incomplete, open, and answered. */
import { type KeyboardEvent, memo, useId } from 'react';
import type { QuizQuestion as Question } from '../../ai';
import { InlineText } from '../text/InlineText';
import { plainText } from '../text/plainText';
import { directionOf, writingOf } from '../text/writing';
import { optionLetter } from './optionLetter';

export interface QuizQuestionProps {
  /** Counts from 0. */
  index: number;
  /** The question's text so far. */
  words: string;
  /** Undefined until the question is complete. */
  question: Question | undefined;
  /** Whether text may still arrive; false for a question that a stop left incomplete. */
  isLive: boolean;
  chosen: number | undefined;
  onChoose(question: Question, option: number): void;
}

/**
 * A question with its options.
 *
 * A choice is final. The arrow keys therefore only move the focus, unlike those of native radio
 * buttons; the space bar and Enter choose. Answered options stay in the tab order.
 */
export const QuizQuestion = memo(function QuizQuestion(props: QuizQuestionProps) {
  const { index, words, question, isLive, chosen, onChoose } = props;
  const id = useId();
  const isDecided = chosen !== undefined;
  // The question's direction holds for its options too, so that letters and marks stand in one line.
  const { lang, dir } = writingOf([words, ...(question?.options ?? []), question?.explanation ?? ''].join(' '));
  return (
    <fieldset className="quiz-question" lang={lang} dir={directionOf(words) ?? dir} aria-describedby={question && !isDecided ? `${id}-keys` : undefined}>
      <legend>
        <small lang="en">{question ? `${index + 1}` : isLive ? `${index + 1}, being written` : `${index + 1}, unfinished`}</small>
        <span className={isLive && !question ? 'quiz-caret' : undefined}>
          <InlineText text={words} isWriting={isLive && !question} />
        </span>
      </legend>
      {question && (
        <div className="quiz-options">
          {!isDecided && (
            <span hidden lang="en" id={`${id}-keys`}>
              The arrow keys move, the space bar chooses. A choice is final.
            </span>
          )}
          {question.options.map((option, at) => (
            // Keyed by position, not by text: a focused element must not be mounted again.
            <label key={optionLetter(at)} className="quiz-option" data-mark={markOf(question, chosen, at)}>
              <input
                type="radio"
                name={id}
                value={at}
                checked={chosen === at}
                aria-disabled={isDecided || undefined}
                aria-label={nameOf(option, markOf(question, chosen, at))}
                onChange={() => !isDecided && onChoose(question, at)}
                onKeyDown={(event) => moveOrChoose(event, () => !isDecided && onChoose(question, at))}
              />
              <span className="quiz-letter" aria-hidden="true">
                {optionLetter(at)}
              </span>
              <span className="quiz-words" dir={directionOf(option)}>
                <InlineText text={option} />
              </span>{' '}
              <b lang="en">{MARK_WORDS[markOf(question, chosen, at)]}</b>
            </label>
          ))}
        </div>
      )}
      {question && isDecided && question.explanation && (
        <p className="quiz-why" dir={directionOf(question.explanation)}>
          <InlineText text={question.explanation} />
        </p>
      )}
    </fieldset>
  );
});

type Mark = 'none' | 'right' | 'wrong' | 'missed';

const MARK_WORDS: Record<Mark, string> = {
  none: '',
  right: 'Right',
  wrong: 'Your answer',
  missed: 'This one',
};

function markOf({ answer }: Question, chosen: number | undefined, option: number): Mark {
  if (chosen === undefined) return 'none';
  if (option === answer) return chosen === answer ? 'right' : 'missed';
  return option === chosen ? 'wrong' : 'none';
}

/** A formula has no words to name its option by. Other options are named by what they show. */
function nameOf(option: string, mark: Mark): string | undefined {
  const words = plainText(option);
  return words === option ? undefined : `${words} ${MARK_WORDS[mark]}`.trim();
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

function moveOrChoose(event: KeyboardEvent<HTMLInputElement>, choose: () => void): void {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === 'Enter') {
    event.preventDefault();
    choose();
    return;
  }
  const step = STEPS[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const all = [...(event.currentTarget.closest('fieldset')?.querySelectorAll('input') ?? [])];
  const next = (all.indexOf(event.currentTarget) + step + all.length) % all.length;
  all[next]?.focus();
}
