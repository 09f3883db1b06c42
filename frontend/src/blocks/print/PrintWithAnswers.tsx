/** Prints a quiz, followed by a page with its answers. The browser's own Print leaves them out. */
import { useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import type { QuizData } from '@liveai/client';
import { optionLetter } from '../quiz/optionLetter';
import { InlineText } from '../text/InlineText';
import { directionOf, writingOf } from '../text/writing';

export function PrintWithAnswers({ quiz }: { quiz: QuizData }) {
  const [isPrinting, setPrinting] = useState(false);
  useEffect(() => {
    if (!isPrinting) return undefined;
    const end = () => setPrinting(false);
    window.addEventListener('afterprint', end);
    window.print();
    return () => window.removeEventListener('afterprint', end);
  }, [isPrinting]);
  return (
    <>
      <button type="button" className="button" onClick={() => setPrinting(true)}>
        Print with answers
      </button>
      {isPrinting && createPortal(<Answers quiz={quiz} />, document.querySelector('main') ?? document.body)}
    </>
  );
}

function Answers({ quiz: { questions } }: { quiz: QuizData }) {
  return (
    <section className="quiz-key print-only ai-block">
      <h2>Answers</h2>
      <ol>
        {questions.map(({ question, options, answer, explanation }) => {
          const right = options[answer] ?? '';
          return (
            <li key={question} {...writingOf([question, right, explanation].join(' '))}>
              <b>{optionLetter(answer)}</b>{' '}
              <bdi dir={directionOf(right)}>
                <InlineText text={right} />
              </bdi>
              {explanation && (
                <p dir={directionOf(explanation)}>
                  <InlineText text={explanation} />
                </p>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
