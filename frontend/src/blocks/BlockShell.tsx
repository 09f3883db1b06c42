/** The frame that all blocks share: composer, title, facts, the answer with its wire, and tools. */
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react';
import type { StreamInput, StreamProblem } from '@liveai/client';
import { Announcer } from './Announcer';
import { AskedPrompt } from './AskedPrompt';
import { BlockComposer } from './BlockComposer';
import { EndNote } from './EndNote';
import { Facts } from './Facts';
import { LineNote } from './LineNote';
import type { MenuItem } from './Menu';
import { toCopy } from './answerForms';
import { isUnusable, ProblemNote } from './ProblemNote';
import { forgetQuestion, forgetSent, keepQuestion } from './question';
import { isRefusal, Refusal } from './Refusal';
import type { ShownStream } from './shownStream';
import { useSite } from './site';
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
 *       copies={[toCopy('Copy text', …)]}
 *       facts={<li>3 questions</li>}
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
  /** What Copy offers; `toCopy` makes such an item. Not offered for an empty answer. */
  copies?: readonly MenuItem[];
  /** What Download offers; `toDownload` makes such an item. */
  downloads?: readonly MenuItem[];
  /** Buttons next to Copy and Download: `<button type="button" className="button">`. */
  tools?: ReactNode;
  /** `<li>`s after the block's name. */
  facts?: ReactNode;
  /** The name of this answer in the facts ("Quiz, medium"). Default: the block's title. */
  kind?: string;
  /** What the answer lacks, as the button's words ("Continue"): a new stream adds it. */
  more?: string;
  /** Why, if that is not known from how the stream ended. */
  endNote?: ReactNode;
  /** False where the page must not scroll while the answer grows. Default: true. */
  mayFollow?: boolean;
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
  const isContinuing = stream.continues !== undefined;
  const isInputWrong = stream.streamId === undefined && !isContinuing && isAboutInput(stream.error);

  const { submit, stop: cancel, reset } = stream;
  const { onStarted, onAskElse } = props;
  const expectStart = useStarted(stream.streamId, (streamId) => {
    forgetQuestion(block.slug, asked?.prompt ?? '');
    onStarted?.(streamId);
  });
  const ask = (input: StreamInput) => {
    setAsked(input);
    setComposing(false);
    const question = keepQuestion(block.slug, input);
    expectStart();
    void submit(question);
  };
  const title = useRef<HTMLHeadingElement>(null);
  const hasTyped = useRef(false);
  useAskOnMount(initialAsk, ask);

  const stop = () => {
    if (stream.streamId === undefined) forgetSent(block.slug);
    void cancel();
  };
  const isShowingComposer = isComposing || !isAsked || isInputWrong;
  useEscape(stop, stream.isLoading && !isShowingComposer);
  // An answer that comes whole is read from its beginning.
  const isGrowing = useSite().config?.streaming.enabled !== false;
  const { element, bar, isBelow, jump } = useFollowEnd<HTMLDivElement>(
    stream.isLoading && !isShowingComposer && isGrowing,
    props.mayFollow ?? true,
  );
  useEffect(() => {
    // Asking removes the composer, which has the focus. Move the focus to the prompt, and into view.
    if (!isShowingComposer && hasTyped.current) title.current?.focus();
  }, [isShowingComposer]);

  const words = useStreamWords(stream, props.endWords);
  const input = inputOf(stream, asked);
  const hasContent = props.hasContent ?? hasAny(stream);
  const state = wireStateOf(stream, hasContent);
  const { streamId, continues } = stream;
  const shownIds = [...stream.earlier.map((answer) => answer.streamId), ...(streamId === undefined ? [] : [streamId])];
  // What came before an unusable continuation is as good as ever.
  const hasForms = hasContent && (stream.earlier.length > 0 || !isUnusable(stream.error));
  const isRetryable = stream.error?.isRetryable === true;
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
            <AskedPrompt prompt={input?.prompt ?? block.title} title={title} />
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
              <div className="answer" ref={element} aria-busy={stream.isLoading}>
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
                    queuePlace={stream.queuePlace}
                    isTaken={stream.streamId !== undefined}
                  />
                )}
              </div>
            </Wire>
            <div className="answer-bar" ref={bar} data-live={stream.isLoading || undefined}>
              <LineNote stream={stream} />
              {(hasContent || !isRefusal(stream)) && <ProblemNote stream={stream} hasContent={hasContent} />}
              <EndNote stream={stream} hasContent={hasContent}>
                {props.endNote}
              </EndNote>
              <Tools
                stream={stream}
                onStop={stop}
                onJump={isBelow ? jump : undefined}
                more={
                  input && props.more !== undefined
                    ? { words: props.more, onMore: () => ask({ ...input, continues: streamId ?? continues }) }
                    : undefined
                }
                onRetry={input && (() => ask({ ...input, continues }))}
                // "Try again" does the same, unless it asks for the rest of an answer.
                onAgain={input && (!isRetryable || isContinuing) ? () => ask(input) : undefined}
                onElse={askElse}
                copies={hasForms ? [...(props.copies ?? []), ...linkOf(props.link, streamId)] : NOTHING}
                downloads={hasForms ? (props.downloads ?? NOTHING) : NOTHING}
                menu={shownIds.length > 0 && props.menu?.({ streamIds: shownIds, isRunning: stream.isLoading })}
              >
                {hasContent ? props.tools : null}
              </Tools>
            </div>
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

const NOTHING: readonly MenuItem[] = [];

function linkOf(link: BlockProps['link'], streamId: string | undefined): MenuItem[] {
  if (link === undefined || streamId === undefined) return [];
  return [toCopy('Copy link', link(streamId), 'Only you can open it')];
}

/** The input for a new answer to the same prompt. */
function inputOf(stream: ShownStream<unknown>, asked: StreamInput | undefined): StreamInput | undefined {
  const { prompt = stream.prompt, options = stream.options } = asked ?? {};
  if (prompt === undefined) return undefined;
  // Once a sample was shown, asking again asks the model.
  const sample = stream.streamId === undefined ? asked?.sample : undefined;
  return { prompt, options, ...(sample !== undefined && { sample }) };
}

function hasAny(stream: ShownStream<unknown>): boolean {
  const parts = [stream, ...stream.earlier];
  return parts.some(({ text, items }) => text !== '' || items.length > 0) || Object.keys(stream.arriving).length > 0;
}

function isAboutInput(error: StreamProblem | undefined): boolean {
  return error?.code === 'invalid_input' || error?.code === 'prompt_too_long';
}
