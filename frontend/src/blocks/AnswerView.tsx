/** An answer for reading alone: without the composer and the tools of its block. */
import { type DiagramData, diagramData, jsonData, type OutputName, type QuizData, quizData } from '@liveai/client';
import { Diagram } from './diagram/Diagram';
import { useDiagramDrawing } from './diagram/useDiagramDrawing';
import { JsonView } from './JsonView';
import { Markdown } from './markdown/Markdown';
import { optionLetter } from './quiz/optionLetter';
import type { AnswerParts } from './shownStream';
import { InlineText } from './text/InlineText';
import { writingOf } from './text/writing';
import '../look/reading.css';

export interface AnswerViewProps {
  output: OutputName;
  parts: AnswerParts;
  /** A diagram's title that only repeats it is omitted. */
  prompt: string;
  /** Whether more may arrive. */
  isLive: boolean;
}

export function AnswerView({ output, parts, prompt, isLive }: AnswerViewProps) {
  switch (output) {
    case 'quiz':
      return <ReadQuiz quiz={quizData(parts)} isLive={isLive} />;
    case 'diagram':
      return <ReadDiagram diagram={diagramData(parts)} prompt={prompt} isLive={isLive} />;
    case 'json': {
      const { value, arriving } = jsonData(parts);
      return <JsonView value={parts.result ?? value} arriving={isLive ? arriving : NOTHING} />;
    }
    default:
      return <Markdown text={parts.text} isWriting={isLive} />;
  }
}

const NOTHING = {};

function ReadDiagram({ diagram, prompt, isLive }: { diagram: DiagramData; prompt: string; isLive: boolean }) {
  const drawing = useDiagramDrawing(diagram, isLive);
  return <Diagram data={diagram} prompt={prompt} drawing={drawing} isLive={isLive} isText={false} />;
}

/** The right options are marked: nobody answers it here. */
function ReadQuiz({ quiz: { title, questions, arriving }, isLive }: { quiz: QuizData; isLive: boolean }) {
  return (
    <div className="reading-quiz">
      {title !== '' && (
        <h3 {...writingOf(title)}>
          <InlineText text={title} />
        </h3>
      )}
      <ol>
        {questions.map(({ question, options, answer, explanation }, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- an item's index never changes
          <li key={index} {...writingOf(question)}>
            <p>
              <InlineText text={question} />
            </p>
            <ul>
              {options.map((option, at) => (
                <li key={optionLetter(at)} data-right={at === answer || undefined}>
                  {optionLetter(at)}. <InlineText text={option} />
                  {at === answer && <em> – correct</em>}
                </li>
              ))}
            </ul>
            {explanation !== '' && (
              <p className="reading-why">
                <InlineText text={explanation} />
              </p>
            )}
          </li>
        ))}
        {isLive && arriving && (
          <li {...writingOf(arriving.question)}>
            <p>{arriving.question}</p>
          </li>
        )}
      </ol>
    </div>
  );
}
