/** One question of a quiz in each of its states: incomplete, open, and answered. */
import { type KeyboardEvent, memo, useId, useRef } from 'react';
import type { QuizQuestion as Question } from '@liveai/client';
import { InlineText } from '../text/InlineText';
import { plainText } from '../text/plainText';
import { directionOf, writingOf } from '../text/writing';
import { optionLetter } from './optionLetter';
import { QuizVerdict } from './QuizVerdict';

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
  /** Whether the choice can be undone. */
  canUndo: boolean;
  onChoose(question: Question, option: number): void;
  onUndo(): void;
}

/**
 * A question with its options.
 *
 * A choice shows the answer. The arrow keys therefore only move the focus, unlike those of native
 * radio buttons; the space bar and Enter choose. Answered options stay in the tab order. A choice
 * changes nothing in the size of the options: people tap on while others are marked.
 */
export const QuizQuestion = memo(function QuizQuestion(props: QuizQuestionProps) {
  const { index, words, question, isLive, chosen, onChoose, onUndo } = props;
  const id = useId();
  const isDecided = chosen !== undefined;
  const box = useRef<HTMLFieldSetElement>(null);
  const undo = () => {
    // The button disappears, so move the focus to the choice.
    if (chosen !== undefined) box.current?.querySelectorAll('input')[chosen]?.focus({ preventScroll: true });
    onUndo();
  };
  // The question's direction holds for its options too, so that letters and marks stand in one line.
  const { lang, dir } = writingOf([words, ...(question?.options ?? []), question?.explanation ?? ''].join(' '));
  return (
    <fieldset ref={box} className="quiz-question" lang={lang} dir={directionOf(words) ?? dir} aria-describedby={question && !isDecided ? `${id}-keys` : undefined}>
      <legend>
        <small lang="en">
          Question {index + 1}
          {!question && (isLive ? ' – writing…' : ' – unfinished')}
        </small>
        <span className={isLive && !question ? 'quiz-caret' : undefined}>
          <InlineText text={words} isWriting={isLive && !question} />
        </span>
      </legend>
      {question && (
        <div className="quiz-options">
          {!isDecided && (
            <span hidden lang="en" id={`${id}-keys`}>
              The arrow keys move, the space bar chooses. You can undo a choice until you answer another question.
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
              <QuizMark mark={markOf(question, chosen, at)} />
            </label>
          ))}
        </div>
      )}
      {question && isDecided && (
        <QuizVerdict question={question} chosen={chosen} canUndo={props.canUndo} onUndo={undo} />
      )}
    </fieldset>
  );
});

type Mark = 'none' | 'right' | 'wrong' | 'missed';

const MARK_WORDS: Record<Mark, string> = {
  none: '',
  right: 'Right',
  wrong: 'Your answer – wrong',
  missed: 'Correct answer',
};

/** A sign in a place of its own, with words where there is room. */
function QuizMark({ mark }: { mark: Mark }) {
  return (
    <b lang="en" className="quiz-mark">
      {mark !== 'none' && (
        <>
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d={mark === 'wrong' ? 'm4 4 8 8m0-8-8 8' : 'm3 8.5 3.5 3.5L13 4.5'} />
          </svg>
          <span>{MARK_WORDS[mark]}</span>
        </>
      )}
    </b>
  );
}

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
