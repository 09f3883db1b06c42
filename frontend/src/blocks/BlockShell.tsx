/** What all blocks have in common: composer, title, facts, the answer on its wire, tools. */
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react';
import type { StreamInput, StreamProblem } from '../ai';
import { Announcer } from './Announcer';
import { BlockComposer } from './BlockComposer';
import { forgetPrompt } from './draft';
import { Facts } from './Facts';
import { LineNote } from './LineNote';
import { ProblemNote } from './ProblemNote';
import type { ShownStream } from './shownStream';
import { useStreamWords } from './streamWords';
import { Tools } from './Tools';
import type { BlockProps } from './types';
import { useEscape } from './useEscape';
import { useFollowEnd } from './useFollowEnd';
import { useStarted } from './useStarted';
import { Waiting } from './Waiting';
import { Wire, wireStateOf } from './Wire';
import '../look/answer.css';

/**
 * @example
 * ```tsx
 * export function QuizBlock(props: BlockProps) {
 *   const stream = useShownStream(useAIBlockStreaming(props.block.slug), props.stream, quizData);
 *   return (
 *     <BlockShell
 *       {...props}
 *       stream={stream}
 *       tools={<CopyButton text={…}>Copy source</CopyButton>}
 *       facts={<span>3 questions</span>}
 *     >
 *       <Questions data={stream.data} isFinal={stream.isFinal} />
 *     </BlockShell>
 *   );
 * }
 * ```
 */
export interface BlockShellProps<Data> extends Omit<BlockProps, 'stream'> {
  /** What `useShownStream` returned: the hook's value, or the picture of a stored stream. */
  stream: ShownStream<Data>;
  /** The answer. Drawn as soon as there is anything of it; the shell puts it on the wire. */
  children: ReactNode;
  /** Whether there is something of the answer to draw. Default: any text, item or arriving string. */
  hasContent?: boolean;
  /** Buttons beside Copy and Regenerate: `<button type="button" className="button">`, or `CopyButton`. */
  tools?: ReactNode;
  /** `<span>`s in the line of facts, after the block's name. */
  facts?: ReactNode;
  /** What the block calls itself in the facts ("Quiz, medium"). Default: by the block. */
  kind?: string;
  /** What Copy copies. Default: the text; without either there is no Copy. */
  copyText?: string;
  /** Default: "Copy". */
  copyLabel?: string;
  /** What stands beside the wire until something comes. Default: by the block's output. */
  waitingWords?: string;
  /** What is announced at a good end ("Quiz complete, 3 questions"). Default: counts the words. */
  endWords?: string;
  /** Prompts to begin from. Default: three by the block. */
  examples?: readonly string[];
}

export function BlockShell<Data>(props: BlockShellProps<Data>) {
  const { block, initialAsk } = props;
  const [isComposing, setComposing] = useState(false);
  const [asked, setAsked] = useState<StreamInput | undefined>(initialAsk);
  const stream = pendingOr(props.stream, asked);
  const isAsked = asked !== undefined || stream.prompt !== undefined || stream.streamId !== undefined;
  const isInputWrong = stream.streamId === undefined && isAboutInput(stream.error);

  const { submit, stop: cancel, reset } = stream;
  const { onStarted, onAskElse } = props;
  const expectStart = useStarted(stream.streamId, (streamId) => {
    forgetPrompt(block.slug);
    onStarted?.(streamId);
  });
  const ask = (input: StreamInput) => {
    setAsked(input);
    setComposing(false);
    expectStart();
    void submit(input);
  };
  const title = useRef<HTMLHeadingElement>(null);
  const hasTyped = useRef(false);
  useAskOnMount(initialAsk, ask);

  const stop = () => void cancel();
  const isShowingComposer = isComposing || !isAsked || isInputWrong;
  useEscape(stop, stream.isLoading && !isShowingComposer);
  const answer = useFollowEnd<HTMLDivElement>(stream.isLoading && !isShowingComposer);
  useEffect(() => {
    // Asking takes the composer away, and the focus with it: it goes on to what was asked.
    if (!isShowingComposer && hasTyped.current) title.current?.focus({ preventScroll: true });
  }, [isShowingComposer]);

  const words = useStreamWords(stream, props.endWords);
  const input = inputOf(stream, asked);
  const hasContent = props.hasContent ?? hasAny(stream);
  const state = wireStateOf(stream, hasContent);
  const askElse = () => {
    reset();
    setAsked(undefined);
    setComposing(true);
    onAskElse?.();
  };

  return (
    <section className="block" aria-label={block.title}>
      <Announcer words={isShowingComposer ? '' : words}>
        {isShowingComposer ? (
          <BlockComposer
            block={block}
            initialPrompt={isInputWrong ? asked?.prompt : isComposing ? undefined : props.initialPrompt}
            initialOptions={asked?.options}
            problem={isInputWrong ? stream.error : undefined}
            examples={props.examples}
            hasFocus={isComposing}
            onAsk={(next) => {
              hasTyped.current = true;
              ask(next);
            }}
          />
        ) : (
          <>
            <h1 className="asked" data-long={isLong(input?.prompt) || undefined} ref={title} tabIndex={-1}>
              {input?.prompt ?? block.title}
            </h1>
            <Facts block={block} stream={stream} kind={props.kind} isDemoModel={props.isDemoModel}>
              {props.facts}
            </Facts>
            <Wire state={state}>
              <div className="answer" ref={answer} aria-busy={stream.isLoading}>
                {hasContent ? (
                  props.children
                ) : (
                  <Waiting state={state} output={block.output} words={props.waitingWords} />
                )}
              </div>
            </Wire>
            <LineNote stream={stream} />
            <ProblemNote stream={stream} hasContent={hasContent} />
            <Tools
              stream={stream}
              onStop={stop}
              onAgain={input && (() => ask(input))}
              onElse={askElse}
              copyText={hasContent ? (props.copyText ?? stream.text) : ''}
              copyLabel={props.copyLabel}
            >
              {hasContent ? props.tools : null}
            </Tools>
          </>
        )}
      </Announcer>
    </section>
  );
}

/** What is asked on mounting is asked a moment later, and looks asked from the first. */
function pendingOr<Data>(stream: ShownStream<Data>, asked: StreamInput | undefined): ShownStream<Data> {
  const isUntouched =
    stream.streamId === undefined &&
    stream.input === undefined &&
    stream.error === undefined &&
    !stream.isLoading;
  return asked && isUntouched ? { ...stream, status: 'submitted', isLoading: true } : stream;
}

/** The deferral lets React's double mount in development ask but once. */
function useAskOnMount(input: StreamInput | undefined, ask: (input: StreamInput) => void): void {
  const isAsked = useRef(false);
  const askOnce = useEffectEvent(() => {
    if (input === undefined || isAsked.current) return;
    isAsked.current = true;
    ask(input);
  });
  useEffect(() => {
    const timer = setTimeout(askOnce);
    return () => clearTimeout(timer);
  }, []);
}

function inputOf(stream: ShownStream<unknown>, asked: StreamInput | undefined): StreamInput | undefined {
  if (asked) return asked;
  return stream.prompt === undefined ? undefined : { prompt: stream.prompt, options: stream.options };
}

function hasAny(stream: ShownStream<unknown>): boolean {
  return stream.text !== '' || stream.items.length > 0 || Object.keys(stream.arriving).length > 0;
}

function isAboutInput(error: StreamProblem | undefined): boolean {
  return error?.code === 'invalid_input' || error?.code === 'prompt_too_long';
}

/** A pasted text, which would make too much of a headline. */
function isLong(prompt = ''): boolean {
  return prompt.length > 220 || prompt.split('\n').length > 4;
}
