import { useMemo } from 'react';
import { type QuizData, quizData } from '@liveai/client';
import { useAIBlockStreaming } from '@liveai/client/react';
import { toCopy, toDownload } from './answerForms';
import { BlockShell } from './BlockShell';
import { counted } from './counted';
import type { EarlierAnswer } from './earlier';
import { defaultsOf } from './options';
import { PrintWithAnswers } from './print/PrintWithAnswers';
import { Quiz } from './quiz/Quiz';
import { QuizScore } from './quiz/QuizScore';
import { quizText } from './quiz/quizText';
import { type QuizPart, useQuizAnswers } from './quiz/useQuizAnswers';
import { type AnswerParts, useShownStream } from './shownStream';
import type { BlockProps } from './types';

/** A quiz whose questions can be answered while the rest is still being written. */
export function QuizBlock(props: BlockProps) {
  const { block } = props;
  // Chosen by output rather than by slug, because an admin's block may produce a quiz too.
  const stream = useShownStream<QuizData>(useAIBlockStreaming(block.slug), props.stream, quizOf, props.earlier);
  const { data: quiz, earlier, streamId, isLoading, prompt = '' } = stream;
  const parts = useMemo(() => partsOf(quiz, earlier, streamId), [quiz, earlier, streamId]);
  const state = useQuizAnswers(parts);
  const { difficulty } = stream.options ?? {};
  const { length } = quiz.questions;
  const missing = stream.isComplete && length > 0 ? Math.max(0, askedQuestions(props, stream.options) - length) : 0;
  const missingWords = `${length} of the ${counted(length + missing, 'question')} could be used`;
  return (
    <BlockShell
      {...props}
      stream={stream}
      mayFollow={false}
      kind={typeof difficulty === 'string' ? `${block.title}, ${difficulty}` : undefined}
      facts={<QuizScore data={quiz} answers={state.answers} isLive={isLoading} />}
      copies={length > 0 ? [toCopy('Copy text', quizText(quiz))] : []}
      downloads={length > 0 ? [toDownload('Download text', quiz.title || prompt, 'txt', quizText(quiz))] : []}
      tools={!isLoading && length > 0 && <PrintWithAnswers quiz={quiz} />}
      more={missing > 0 ? (missing === 1 ? 'Write another' : `Write ${missing} more`) : undefined}
      endNote={missing > 0 && `${missingWords}.`}
      endWords={missing > 0 ? missingWords : `Quiz complete, ${counted(length, 'question')}`}
    >
      <Quiz data={quiz} prompt={stream.prompt} state={state} isLive={isLoading} />
    </BlockShell>
  );
}

/** Numbers the questions on, and keeps the first title. */
function quizOf(parts: AnswerParts, earlier: readonly EarlierAnswer[]): QuizData {
  const own = quizData(parts);
  const before = earlier.map(({ items }) => quizData({ items, arriving: {} }));
  const questions = before.flatMap((quiz) => quiz.questions);
  if (before.length === 0) return own;
  return {
    title: before.find(({ title }) => title !== '')?.title ?? own.title,
    questions: [...questions, ...own.questions],
    arriving: own.arriving && { ...own.arriving, index: own.arriving.index + questions.length },
    arrivingTitle: '',
  };
}

/** The questions of each stream, whose answers are stored with that stream. */
function partsOf({ questions }: QuizData, earlier: readonly EarlierAnswer[], streamId: string | undefined): QuizPart[] {
  const before = earlier.map(({ streamId: id, items }) => ({ streamId: id, questions: quizData({ items, arriving: {} }).questions }));
  const own = questions.slice(before.reduce((sum, part) => sum + part.questions.length, 0));
  return [...before, { streamId, questions: own }];
}

/** The number of questions that the options ask for; 0 if they do not say. */
function askedQuestions({ block }: BlockProps, options: Record<string, unknown> | undefined): number {
  const { questions } = { ...defaultsOf(block.options), ...options };
  return typeof questions === 'number' ? questions : 0;
}
