import { renderHook } from '@testing-library/react';
import { StrictMode } from 'react';
import { describe, expect, test } from 'vitest';
import type { StreamResource } from '@liveai/client';
import { aLiveStream, anEndedStream, aResource, aStream } from './shellFixtures';
import { type AnswerParts, type ShownStream, useShownStream } from './shownStream';

const textOf = ({ text }: AnswerParts) => text;

interface Given {
  stream: ShownStream<string>;
  resource?: StreamResource;
}

function shown(first: Given) {
  return renderHook(({ stream, resource }: Given) => useShownStream(stream, resource, textOf), {
    initialProps: first,
    wrapper: StrictMode,
  });
}

const WATCHED = { input: undefined, prompt: undefined };
const RUNNING = aResource({ status: 'running', text: 'Because of', ended_at: null, usage: null });

describe('a stored stream that has ended', () => {
  test.each(['length', 'repetition'] as const)('says that it ended by %s', (reason) => {
    const { result } = shown({ stream: aStream(), resource: aResource({ finish_reason: reason }) });
    expect(result.current.finishReason).toBe(reason);
  });

  test('is shown without a connection', () => {
    const stream = aStream();
    const { result } = shown({ stream, resource: aResource() });
    expect(stream.resume).not.toHaveBeenCalled();
    expect(result.current).toMatchObject({
      prompt: 'Why is the sky blue?',
      data: 'Because of the air.',
      isLoading: false,
      isComplete: true,
      isFinal: true,
      finishReason: 'stop',
      metrics: { firstTokenMs: 300, tokensPerSecond: 42 },
    });
  });

  test('claims no speed if it came whole', () => {
    const resource = aResource({ started_at: '2026-01-01T00:00:00.000Z', ended_at: '2026-01-01T00:00:04.300Z', ttft_ms: 4000 });
    expect(shown({ stream: aStream(), resource }).result.current.metrics.tokensPerSecond).toBeUndefined();
  });

  test('shows how it ended', () => {
    const error = { code: 'provider_timeout', message: 'Too slow.', retryable: true };
    const failed = shown({ stream: aStream(), resource: aResource({ status: 'error', error }) });
    expect(failed.result.current).toMatchObject({
      status: 'error',
      finishReason: 'error',
      error: { code: 'provider_timeout', isRetryable: true },
    });
    const stopped = shown({ stream: aStream(), resource: aResource({ status: 'cancelled' }) });
    expect(stopped.result.current).toMatchObject({ finishReason: 'cancelled', isComplete: false });
  });

  test('is replaced as soon as something is asked here', () => {
    const resource = aResource();
    const { result, rerender } = shown({ stream: aStream(), resource });
    rerender({
      stream: aLiveStream({ streamId: undefined, text: '', status: 'submitted' }),
      resource,
    });
    expect(result.current).toMatchObject({ data: '', isLoading: true });
  });
});

describe('a stored stream that runs', () => {
  test('is resumed, and shows what was stored until the hook has as much', () => {
    const stream = aStream();
    const { result, rerender } = shown({ stream, resource: RUNNING });
    expect(stream.resume).toHaveBeenCalledWith(RUNNING.stream_id);
    expect(result.current).toMatchObject({ data: 'Because of', isLoading: true, status: 'submitted' });
    rerender({ stream: aLiveStream({ ...WATCHED, text: 'Beca' }), resource: RUNNING });
    expect(result.current).toMatchObject({ data: 'Because of', status: 'streaming' });
    rerender({ stream: aLiveStream({ ...WATCHED, text: 'Because of the' }), resource: RUNNING });
    expect(result.current.data).toBe('Because of the');
    // A reset after that is shown as it is.
    rerender({ stream: aLiveStream({ ...WATCHED, text: '' }), resource: RUNNING });
    expect(result.current.data).toBe('');
    rerender({ stream: anEndedStream({ ...WATCHED, text: 'All' }), resource: RUNNING });
    expect(result.current).toMatchObject({ data: 'All', isComplete: true, prompt: RUNNING.prompt });
  });

  test('keeps what was stored when its connection fails', () => {
    const error = { code: 'connection_lost', message: 'Gone.', isRetryable: true };
    const failed = { status: 'error', finishReason: 'error', error } as const;
    const stream = aStream({ streamId: RUNNING.stream_id, ...failed });
    const { result } = shown({ stream, resource: RUNNING });
    expect(result.current).toMatchObject({ data: 'Because of', isLoading: false, error });
  });

  test('shows its end, even if that holds less than what was stored', () => {
    const { result, rerender } = shown({ stream: aStream(), resource: RUNNING });
    const stopped = anEndedStream({ ...WATCHED, text: '', isComplete: false, finishReason: 'cancelled' });
    rerender({ stream: stopped, resource: RUNNING });
    expect(result.current).toMatchObject({ isLoading: false, finishReason: 'cancelled', data: '' });
  });

  test('that was asked for here is not resumed a second time', () => {
    const stream = aLiveStream();
    shown({ stream, resource: RUNNING });
    expect(stream.resume).not.toHaveBeenCalled();
  });

  test('shows the model’s own time to the first word, not the viewer’s', () => {
    const metrics = { firstTokenMs: 4, tokensPerSecond: 99_999, reconnects: 0 };
    const stream = aLiveStream({ ...WATCHED, text: 'Because of the', metrics });
    const { result } = shown({ stream, resource: RUNNING });
    expect(result.current.metrics).toMatchObject({ firstTokenMs: 300, tokensPerSecond: undefined });
  });
});
