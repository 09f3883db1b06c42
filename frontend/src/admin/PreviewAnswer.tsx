/** The answer of a preview, drawn by the block's own component. */
import { useMemo } from 'react';
import { type OutputName, type StreamState, diagramData, jsonData, quizData } from '@liveai/client';
import { Diagram } from '../blocks/diagram/Diagram';
import { useDiagramDrawing } from '../blocks/diagram/useDiagramDrawing';
import { JsonView } from '../blocks/JsonView';
import { Markdown } from '../blocks/markdown/Markdown';
import { Quiz } from '../blocks/quiz/Quiz';
import { useQuizAnswers } from '../blocks/quiz/useQuizAnswers';

export interface PreviewAnswerProps {
  output: OutputName;
  state: StreamState;
  prompt: string;
  isLive: boolean;
}

export function PreviewAnswer(props: PreviewAnswerProps) {
  switch (props.output) {
    case 'quiz':
      return <PreviewQuiz {...props} />;
    case 'diagram':
      return <PreviewDiagram {...props} />;
    case 'json':
      return <PreviewFields {...props} />;
    default:
      return <Markdown text={props.state.text} isWriting={props.isLive} />;
  }
}

function PreviewQuiz({ state: { items, arriving }, prompt, isLive }: PreviewAnswerProps) {
  const data = useMemo(() => quizData({ items, arriving }), [items, arriving]);
  // Without an id: nothing of a preview is stored.
  const parts = useMemo(() => [{ streamId: undefined, questions: data.questions }], [data.questions]);
  const answers = useQuizAnswers(parts);
  return <Quiz data={data} prompt={prompt} state={answers} isLive={isLive} />;
}

function PreviewDiagram({ state: { items, arriving }, prompt, isLive }: PreviewAnswerProps) {
  const data = useMemo(() => diagramData({ items, arriving }), [items, arriving]);
  const drawing = useDiagramDrawing(data, isLive);
  return <Diagram data={data} prompt={prompt} drawing={drawing} isLive={isLive} isText={false} />;
}

function PreviewFields({ state, isLive }: PreviewAnswerProps) {
  const { items, arriving } = state;
  const data = useMemo(() => jsonData({ items, arriving }), [items, arriving]);
  const result = state.terminal?.type === 'complete' ? state.terminal.result : undefined;
  return <JsonView value={result ?? data.value} arriving={isLive ? data.arriving : NOTHING} />;
}

const NOTHING = {};
