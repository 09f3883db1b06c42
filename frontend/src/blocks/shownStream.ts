/** Combines two sources into one stream to show: the stored resource, and the hook. */
import { useEffect, useEffectEvent, useMemo, useState } from 'react';
import type { AIBlockStream, FinishReason, Item, StreamInput, StreamResource } from '@liveai/client';
import { type EarlierAnswer, useEarlier } from './earlier';

/** The parts from which a block's data is built. */
export interface AnswerParts {
  text: string;
  items: readonly Item[];
  arriving: Readonly<Record<string, string>>;
  result: Record<string, unknown> | undefined;
}

/** The hook's value, or a stored stream in the same form. */
export interface ShownStream<Data> extends AIBlockStream<Data> {
  /** The prompt that was asked here, or that of the stored stream. */
  prompt: string | undefined;
  options: Record<string, unknown> | undefined;
  /** The answers that this stream continues, the oldest first. `data` includes them. */
  earlier: readonly EarlierAnswer[];
}

/** Whether a stored stream has ended. */
export function hasEnded({ status }: Pick<StreamResource, 'status'>): boolean {
  return status === 'complete' || status === 'error' || status === 'cancelled';
}

/**
 * Returns the stream that a block shows.
 *
 * A stored stream that has ended is shown from the resource, without a connection. The hook resumes
 * a running one. Until the hook has received as much as the resource holds, the resource is shown,
 * so that nothing disappears and reappears. Once something is asked here, only the hook is shown.
 *
 * @param stream - the value of `useAIBlockStreaming`.
 * @param resource - the stored stream, if there is one.
 * @param dataOf - builds the block's data from the parts and those of the earlier answers. It must
 *   be the same function for the lifetime of the component.
 * @param earlierResources - the earlier streams of a stored stream that continues them.
 */
export function useShownStream<Data>(
  stream: AIBlockStream<unknown>,
  resource: StreamResource | undefined,
  dataOf: (parts: AnswerParts, earlier: readonly EarlierAnswer[]) => Data,
  earlierResources?: readonly StreamResource[],
): ShownStream<Data> {
  const id = resource?.stream_id;
  const isRunning = resource !== undefined && !hasEnded(resource);
  const resume = useEffectEvent((wanted: string) => {
    // The hook already follows a stream that was asked for here, even if the page passes it in.
    if (stream.streamId !== wanted) void stream.resume(wanted);
  });
  useEffect(() => {
    if (id !== undefined && isRunning) resume(id);
  }, [id, isRunning]);

  const stored = useMemo(() => resource && pictureOf(resource), [resource]);
  const [caughtUp, setCaughtUp] = useState<string>();
  if (resource && id !== caughtUp && stream.streamId === id && holdsAsMuch(stream, resource)) {
    setCaughtUp(id);
  }
  const isAnother = stream.input !== undefined || (stream.streamId ?? id) !== id;
  const isStored = stored !== undefined && !isAnother && caughtUp !== id;
  const { text, items, arriving, result, streamId, continues } = isStored ? stored : stream;
  const [earlier, keep] = useEarlier(continues, earlierResources);
  const data = useMemo(
    () => dataOf({ text, items, arriving, result }, earlier),
    [dataOf, text, items, arriving, result, earlier],
  );
  const submit = (input: StreamInput | string) => {
    // What is continued stays on the page.
    const isContinued = typeof input === 'object' && input.continues !== undefined && input.continues === streamId;
    if (isContinued) keep({ streamId, continues, text, items });
    return stream.submit(input);
  };
  const asked = isAnother ? stream.input : resource;
  const { prompt, options } = asked ?? {};
  if (isStored) {
    const line = isRunning ? lineOf(stream) : undefined;
    return { ...stream, ...stored, ...line, data, prompt, options, earlier, submit };
  }
  const isWatched = resource !== undefined && !isAnother;
  const metrics = isWatched ? watchedMetrics(stream, resource) : stream.metrics;
  return { ...stream, metrics, data, prompt, options, earlier, submit };
}

function holdsAsMuch(stream: AIBlockStream<unknown>, resource: StreamResource): boolean {
  const { text, items, finishReason } = stream;
  if (finishReason !== undefined && finishReason !== 'error') return true;
  // A connection that fails before any event must not hide what is stored.
  const hasAny = text !== '' || items.length > 0;
  if (finishReason === 'error') return hasAny || (resource.text === '' && resource.items.length === 0);
  return (
    stream.isLoading &&
    hasAny &&
    text.length >= resource.text.length &&
    items.length >= resource.items.length
  );
}

/** For a running stored stream: the state of the connection comes from the hook. */
function lineOf(stream: AIBlockStream<unknown>) {
  const { status, thinking, queuePlace, error, lineProblem, isStopping, transport, isFallback, nextTryAt, retryAt } = stream;
  return {
    status: status === 'ready' ? ('submitted' as const) : status,
    isLoading: status !== 'error',
    thinking,
    queuePlace,
    error,
    lineProblem,
    isStopping,
    transport,
    isFallback,
    nextTryAt,
    retryAt,
  };
}

/**
 * A late viewer receives the beginning in one burst, so its timings say nothing about the model.
 */
function watchedMetrics(stream: AIBlockStream<unknown>, resource: StreamResource) {
  const { metrics, isLoading } = stream;
  return {
    ...metrics,
    firstTokenMs: resource.ttft_ms ?? (resource.status === 'queued' ? metrics.firstTokenMs : undefined),
    tokensPerSecond: isLoading ? undefined : metrics.tokensPerSecond,
  };
}

function pictureOf(resource: StreamResource) {
  const { error } = resource;
  const isOver = hasEnded(resource);
  return {
    text: resource.text,
    items: resource.items as readonly Item[],
    arriving: resource.arriving,
    result: resource.result ?? undefined,
    thinking: undefined,
    queuePlace: null,
    isFinal: isOver,
    streamId: resource.stream_id,
    model: resource.model,
    continues: resource.continues ?? undefined,
    sample: resource.sample ?? undefined,
    status: resource.status === 'error' ? ('error' as const) : ('ready' as const),
    isLoading: !isOver,
    isComplete: resource.status === 'complete',
    error: error
      ? { code: error.code, message: error.message, isRetryable: error.retryable }
      : undefined,
    lineProblem: undefined,
    isStopping: false,
    finishReason: finishOf(resource),
    transport: undefined,
    isFallback: false,
    nextTryAt: undefined,
    retryAt: null,
    metrics: {
      firstTokenMs: resource.ttft_ms ?? undefined,
      tokensPerSecond: rateOf(resource),
      reconnects: 0,
    },
  };
}

function finishOf(resource: StreamResource): FinishReason | undefined {
  if (resource.status === 'cancelled') return 'cancelled';
  if (resource.status === 'error') return 'error';
  if (resource.status !== 'complete') return undefined;
  const reason = resource.finish_reason;
  return reason === 'length' || reason === 'repetition' ? reason : 'stop';
}

/** As in the client: in less time, an answer came whole, or was too short to measure. */
const STEADY_MS = 500;

function rateOf({ usage, started_at, ended_at, ttft_ms }: StreamResource): number | undefined {
  if (usage === null || started_at === null || ended_at === null || ttft_ms === null) return undefined;
  const ms = Date.parse(ended_at) - Date.parse(started_at) - ttft_ms;
  return ms >= STEADY_MS && usage.output_tokens > 1 ? (usage.output_tokens / ms) * 1000 : undefined;
}
