import { useMemo } from 'react';
import { type QuizData, quizData, useAIBlockStreaming } from '../ai';
import { BlockShell } from './BlockShell';
import { kindOf } from './kinds';
import { PrintWithAnswers } from './print/PrintWithAnswers';
import { Quiz } from './quiz/Quiz';
import { QuizScore } from './quiz/QuizScore';
import { quizText } from './quiz/quizText';
import { useShownStream } from './shownStream';
import type { BlockProps } from './types';
import { useQuizAnswers } from './quiz/useQuizAnswers';

/** A quiz whose questions can be answered while the rest is still being written. */
export function QuizBlock(props: BlockProps) {
  const { block } = props;
  const live = useAIBlockStreaming(block.slug);
  const { items, arriving } = live;
  // Chosen by output rather than by slug, because an admin's block may produce a quiz too.
  const data = useMemo(() => quizData({ items, arriving }), [items, arriving]);
  const stream = useShownStream<QuizData>({ ...live, data }, props.stream, quizData);
  const quiz = stream.data;
  const state = useQuizAnswers(stream.streamId, quiz.questions);
  const difficulty = stream.options?.difficulty;
  return (
    <BlockShell
      {...props}
      stream={stream}
      kind={typeof difficulty === 'string' ? `${kindOf(block)}, ${difficulty}` : undefined}
      facts={<QuizScore data={quiz} answers={state.answers} isLive={stream.isLoading} />}
      copyText={quizText(quiz)}
      tools={!stream.isLoading && quiz.questions.length > 0 && <PrintWithAnswers quiz={quiz} />}
      endWords={`Quiz complete, ${quiz.questions.length} ${quiz.questions.length === 1 ? 'question' : 'questions'}`}
    >
      <Quiz data={quiz} prompt={stream.prompt} state={state} isLive={stream.isLoading} />
    </BlockShell>
  );
}
