/** One picture of a stream out of two sources: what the server told once, and what the hook hears. */
import { useEffect, useEffectEvent, useMemo, useState } from 'react';
import type { AIBlockStream, FinishReason, Item, StreamResource } from '../ai';

/** What an answer's data is made of. */
export interface AnswerParts {
  text: string;
  items: readonly Item[];
  arriving: Readonly<Record<string, string>>;
  result: Record<string, unknown> | undefined;
}

/** The hook's value, or the same picture drawn from a stored stream. */
export interface ShownStream<Data> extends AIBlockStream<Data> {
  /** What was asked: here, or when the stored stream was. */
  prompt: string | undefined;
  options: Record<string, unknown> | undefined;
}

/** Whether nothing more will come of it. */
export function hasEnded({ status }: Pick<StreamResource, 'status'>): boolean {
  return status === 'complete' || status === 'error' || status === 'cancelled';
}

/**
 * The stream that a block shows.
 *
 * A stored stream that has ended is drawn from the resource, without a connection. One that runs
 * is taken up by the hook, and drawn from the resource until the hook holds as much: nothing
 * vanishes and comes again. As soon as something is asked here, the hook alone is shown.
 *
 * @param stream - what `useAIBlockStreaming` returned.
 * @param resource - the stored stream, if there is one.
 * @param dataOf - the block's data out of the parts (`quizData`, `diagramData`, …); one function
 *   for the life of the component.
 */
export function useShownStream<Data>(
  stream: AIBlockStream<unknown>,
  resource: StreamResource | undefined,
  dataOf: (parts: AnswerParts) => Data,
): ShownStream<Data> {
  const id = resource?.stream_id;
  const isRunning = resource !== undefined && !hasEnded(resource);
  const takeUp = useEffectEvent((wanted: string) => {
    // A stream that was asked for here is heard already, although the page may hand it in.
    if (stream.streamId !== wanted) void stream.resume(wanted);
  });
  useEffect(() => {
    if (id !== undefined && isRunning) takeUp(id);
  }, [id, isRunning]);

  const stored = useMemo(() => resource && pictureOf(resource), [resource]);
  const [caughtUp, setCaughtUp] = useState<string>();
  if (resource && id !== caughtUp && stream.streamId === id && holdsAsMuch(stream, resource)) {
    setCaughtUp(id);
  }
  const isAnother = stream.input !== undefined || (stream.streamId ?? id) !== id;
  const isStored = stored !== undefined && !isAnother && caughtUp !== id;
  const { text, items, arriving, result } = isStored ? stored : stream;
  const data = useMemo(
    () => dataOf({ text, items, arriving, result }),
    [dataOf, text, items, arriving, result],
  );
  const asked = isAnother ? stream.input : resource;
  const { prompt, options } = asked ?? {};
  if (isStored) {
    const line = isRunning ? lineOf(stream) : undefined;
    return { ...stream, ...stored, ...line, data, prompt, options };
  }
  const isWatched = resource !== undefined && !isAnother;
  const metrics = isWatched ? watchedMetrics(stream, resource) : stream.metrics;
  return { ...stream, metrics, data, prompt, options };
}

function holdsAsMuch(stream: AIBlockStream<unknown>, resource: StreamResource): boolean {
  const { text, items, finishReason } = stream;
  if (finishReason !== undefined && finishReason !== 'error') return true;
  // A line that failed before anything came must not take along what was stored.
  const hasAny = text !== '' || items.length > 0;
  if (finishReason === 'error') return hasAny || (resource.text === '' && resource.items.length === 0);
  return (
    stream.isLoading &&
    hasAny &&
    text.length >= resource.text.length &&
    items.length >= resource.items.length
  );
}

/** Of a stored stream that runs: how the line to it is doing is the hook's to say. */
function lineOf(stream: AIBlockStream<unknown>) {
  const { status, error, lineProblem, isStopping, transport, isFallback, nextTryAt } = stream;
  return {
    status: status === 'ready' ? ('submitted' as const) : status,
    isLoading: status !== 'error',
    error,
    lineProblem,
    isStopping,
    transport,
    isFallback,
    nextTryAt,
  };
}

/** Who came later sees the beginning in one burst: its times would say nothing of the model's. */
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
    isFinal: isOver,
    streamId: resource.stream_id,
    model: resource.model,
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
  return resource.finish_reason === 'length' ? 'length' : 'stop';
}

function rateOf({ usage, started_at, ended_at, ttft_ms }: StreamResource): number | undefined {
  if (usage === null || started_at === null || ended_at === null || ttft_ms === null) return undefined;
  const ms = Date.parse(ended_at) - Date.parse(started_at) - ttft_ms;
  return ms > 50 && usage.output_tokens > 1 ? (usage.output_tokens / ms) * 1000 : undefined;
}
