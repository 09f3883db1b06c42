/** The frame that all blocks share: composer, title, facts, the answer with its wire, and tools. */
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react';
import type { StreamInput, StreamProblem } from '../ai';
import { Announcer } from './Announcer';
import { BlockComposer } from './BlockComposer';
import { forgetQuestion, keepQuestion } from './draft';
import { Facts } from './Facts';
import { LineNote } from './LineNote';
import { ProblemNote } from './ProblemNote';
import { isRefusal, Refusal } from './Refusal';
import type { ShownStream } from './shownStream';
import { useSite } from './site';
import { useStreamWords } from './streamWords';
import { writingOf } from './text/writing';
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
  /** The value of `useShownStream`: the hook's stream, or a stored stream in the same form. */
  stream: ShownStream<Data>;
  /** The answer. Rendered on the wire as soon as any of it has arrived. */
  children: ReactNode;
  /**
   * Whether there is anything of the answer to render. Default: any text, item or arriving string.
   */
  hasContent?: boolean;
  /**
   * Buttons next to Copy and Regenerate: `<button type="button" className="button">`, or
   * `CopyButton`.
   */
  tools?: ReactNode;
  /** `<span>`s in the line of facts, after the block's name. */
  facts?: ReactNode;
  /** The block's name in the facts ("Quiz, medium"). Default: depends on the block. */
  kind?: string;
  /** What Copy copies. Default: the text. Copy is hidden if both are empty. */
  copyText?: string;
  /** Default: "Copy". */
  copyLabel?: string;
  /**
   * Shown next to the wire until the first part arrives. Default: depends on the block's output.
   */
  waitingWords?: string;
  /**
   * Announced when the answer is complete ("Quiz complete, 3 questions"). Default: the number of
   * words.
   */
  endWords?: string;
  /** Example prompts. Default: three for each built-in block. */
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
    forgetQuestion(block.slug, asked?.prompt ?? '');
    onStarted?.(streamId);
  });
  const ask = (input: StreamInput) => {
    setAsked(input);
    setComposing(false);
    keepQuestion(block.slug, input);
    expectStart();
    void submit(input);
  };
  const title = useRef<HTMLHeadingElement>(null);
  const hasTyped = useRef(false);
  useAskOnMount(initialAsk, ask);

  const stop = () => void cancel();
  const isShowingComposer = isComposing || !isAsked || isInputWrong;
  useEscape(stop, stream.isLoading && !isShowingComposer);
  // An answer that comes whole is read from its beginning.
  const isGrowing = useSite().config?.streaming.enabled !== false;
  const answer = useFollowEnd<HTMLDivElement>(stream.isLoading && !isShowingComposer && isGrowing);
  useEffect(() => {
    // Asking removes the composer, which has the focus. Move the focus to the prompt.
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
            <h1
              className="asked"
              {...writingOf(input?.prompt ?? block.title)}
              data-long={isLong(input?.prompt) || undefined}
              ref={title}
              tabIndex={-1}
            >
              {input?.prompt ?? block.title}
            </h1>
            <Facts
              block={block}
              stream={stream}
              kind={props.kind}
              isDemoModel={props.isDemoModel}
              hasContent={hasContent}
            >
              {props.facts}
            </Facts>
            <Wire state={state}>
              <div className="answer" ref={answer} aria-busy={stream.isLoading}>
                {hasContent ? (
                  props.children
                ) : isRefusal(stream) ? (
                  <Refusal words={stream.error.message} />
                ) : (
                  <Waiting
                    state={state}
                    output={block.output}
                    words={props.waitingWords}
                    thinking={stream.thinking}
                  />
                )}
              </div>
            </Wire>
            <LineNote stream={stream} />
            {(hasContent || !isRefusal(stream)) && <ProblemNote stream={stream} hasContent={hasContent} />}
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

/** A prompt to be asked on mount is sent slightly later, but shown as submitted from the start. */
function pendingOr<Data>(stream: ShownStream<Data>, asked: StreamInput | undefined): ShownStream<Data> {
  const isUntouched =
    stream.streamId === undefined &&
    stream.input === undefined &&
    stream.error === undefined &&
    !stream.isLoading;
  return asked && isUntouched ? { ...stream, status: 'submitted', isLoading: true } : stream;
}

/** The timeout makes StrictMode's double mount ask only once. */
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
  // Once a sample was shown, asking again asks the model.
  if (asked) return stream.streamId === undefined ? asked : { ...asked, sample: undefined };
  return stream.prompt === undefined ? undefined : { prompt: stream.prompt, options: stream.options };
}

function hasAny(stream: ShownStream<unknown>): boolean {
  return stream.text !== '' || stream.items.length > 0 || Object.keys(stream.arriving).length > 0;
}

function isAboutInput(error: StreamProblem | undefined): boolean {
  return error?.code === 'invalid_input' || error?.code === 'prompt_too_long';
}

/** Whether the prompt is a pasted text, which is too long for a headline. */
function isLong(prompt = ''): boolean {
  return prompt.length > 220 || prompt.split('\n').length > 4;
}
