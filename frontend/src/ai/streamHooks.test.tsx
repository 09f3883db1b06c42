import { act } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import { send, hookStage, wait } from './testing/mounted';
import { cancelled, chunk, chunks, completed, failed, item, started, STREAM } from './testing/scriptedEvents';
import type { ScriptedLine } from './testing/scriptedLines';
import { pass } from './testing/scriptedLines';
import { QUESTION } from './testing/stage';
import type { AIStream, FinishInfo, StreamStatus } from './types';

const { stage, mounted, line } = hookStage();

describe('useAIStreaming', () => {
  it('goes from ready through submitted and streaming to its end', async () => {
    const { now, renders } = mounted();
    expect(now()).toMatchObject({ status: 'ready', isLoading: false, isComplete: false, text: '' });
    act(() => void now().submit(QUESTION));
    expect(now()).toMatchObject({ status: 'submitted', isLoading: true, input: QUESTION });
    expect(now().blockType).toBe('ask-question');
    const first = await line();
    await send(first, started(), ...chunks(0, 'Because', ' of'));
    await wait(100);
    expect(now()).toMatchObject({ status: 'streaming', streamId: STREAM, text: 'Because of' });
    expect(now()).toMatchObject({ transport: 'sse', isFallback: false, model: 'scripted' });
    await send(first, chunk(2, ' scattering'), completed(3));
    expect(now()).toMatchObject({
      status: 'ready',
      isLoading: false,
      isComplete: true,
      text: 'Because of scattering',
      finishReason: 'stop',
    });
    const seen = renders.map(({ status }) => status).filter((status, i, all) => status !== all[i - 1]);
    expect(seen).toEqual<StreamStatus[]>(['ready', 'submitted', 'streaming', 'ready']);
  });

  it('never shows an end without the complete text', async () => {
    const { now, renders } = mounted();
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started(), chunk(0, 'a'));
    await send(first, ...chunks(1, 'b', 'c'), completed(3));
    const ended = renders.filter(({ isComplete }) => isComplete);
    expect(ended.length).toBeGreaterThan(0);
    expect(ended.every(({ text, status }) => text === 'abc' && status === 'ready')).toBe(true);
  });

  it('is reconnecting while the connection is lost, and says when it will try again', async () => {
    const onReconnect = vi.fn();
    const { now } = mounted({ onReconnect });
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started(), chunk(0, 'a'));
    await act(() => first.cut());
    expect(now()).toMatchObject({ status: 'reconnecting', isLoading: true, text: 'a' });
    expect(now().nextTryAt).toBeGreaterThan(Date.now());
    expect(onReconnect).toHaveBeenCalledTimes(1);
    act(() => now().reconnectNow());
    expect(now().nextTryAt).toBeUndefined();
    await send(await line(), started({ after: 0 }), chunk(1, 'b'), completed(2));
    expect(now()).toMatchObject({ status: 'ready', text: 'ab', metrics: { reconnects: 1 } });
  });

  it('says after each failed attempt why it failed, and when the next one is due', async () => {
    const { now } = mounted();
    act(() => void now().submit(QUESTION));
    const first = await line();
    await act(() => first.refuse(503, 'over_capacity'));
    expect(now().lineProblem).toMatchObject({ code: 'over_capacity' });
    const due = now().nextTryAt;
    act(() => now().reconnectNow());
    const second = await line();
    await act(() => second.cut());
    expect(now()).toMatchObject({ status: 'reconnecting', lineProblem: undefined });
    expect(now().nextTryAt).toBeGreaterThan(due ?? 0);
    act(() => now().disconnect());
  });

  it('renders about twenty times for a thousand chunks in a second', async () => {
    const { now, renders } = mounted();
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started());
    const before = renders.length;
    for (let i = 0; i < 1000; i++) {
      void first.send(chunk(i, 'x'));
      // oxlint-disable-next-line no-await-in-loop
      await pass(1);
    }
    const during = renders.length - before;
    await send(first, completed(1000));
    expect(now().text).toHaveLength(1000);
    expect(during).toBeGreaterThan(10);
    expect(during).toBeLessThanOrEqual(25);
  });

  it('passes every chunk and part to the callbacks of the latest render', async () => {
    const early = vi.fn();
    const late = vi.fn();
    const { now, rerender } = mounted({ onChunk: early, onItem: early });
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started(), chunk(0, 'a'));
    rerender({ onChunk: late, onItem: late, onFinish: late });
    await send(first, chunk(1, 'b'), item(2, '/title', 'Sky'), completed(3));
    expect(early).toHaveBeenCalledTimes(1);
    expect(late).toHaveBeenCalledTimes(3);
  });

  it('keeps its functions for life', async () => {
    const { now } = mounted();
    const functions = (stream: AIStream) =>
      Object.entries(stream).filter(([, value]) => typeof value === 'function');
    const before = functions(now());
    expect(before).toHaveLength(8);
    act(() => void now().submit(QUESTION));
    await send(await line(), started(), chunk(0, 'a'), completed(1));
    expect(functions(now())).toEqual(before);
    expect(functions(now()).every(([name, value]) => before.some(([n, v]) => n === name && v === value))).toBe(true);
  });

  it('resolves submit at the end', async () => {
    const { now } = mounted();
    const done = vi.fn();
    act(() => void now().submit(QUESTION).then(done));
    const first = await line();
    await send(first, started(), chunk(0, 'a'));
    expect(done).not.toHaveBeenCalled();
    await send(first, completed(1));
    expect(done).toHaveBeenCalledTimes(1);
  });
});

describe('onFinish', () => {
  const finished = async (end: (stream: AIStream, on: ScriptedLine) => Promise<void> | void) => {
    const onFinish = vi.fn<(info: FinishInfo) => void>();
    const onError = vi.fn();
    const { now } = mounted({ onFinish, onError });
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started(), chunk(0, 'a'), item(1, '/title', 'Sky'));
    await act(async () => end(now(), first));
    await wait(100);
    expect(onFinish).toHaveBeenCalledTimes(1);
    return { info: onFinish.mock.calls[0]?.[0], onError, now };
  };
  const flags = { isAbort: false, isDisconnect: false, isError: false };

  it('reports a complete answer', async () => {
    const { info } = await finished((_, on) => on.send(completed(2, { result: { title: 'Sky' } })));
    expect(info).toMatchObject({
      ...flags,
      text: 'a',
      items: [{ path: '/title', value: 'Sky' }],
      result: { title: 'Sky' },
      finishReason: 'stop',
      usage: { inputTokens: 7, outputTokens: 100 },
    });
    expect(info?.metrics.tokensPerSecond).toBe(50);
  });

  it('reports a stopped answer', async () => {
    stage.server.answers[`POST /api/streams/${STREAM}/cancel`] = () => Response.json({});
    const { info } = await finished(async (stream, on) => {
      await stream.stop();
      await on.send(cancelled(2));
    });
    expect(info).toMatchObject({ ...flags, isAbort: true, finishReason: 'cancelled', text: 'a' });
    expect(stage.server.calls(`POST /api/streams/${STREAM}/cancel`)).toHaveLength(1);
  });

  it('reports a failed answer', async () => {
    const { info, onError, now } = await finished((_, on) => on.send(failed(2)));
    expect(info).toMatchObject({ ...flags, isError: true, finishReason: 'error', text: 'a' });
    expect(onError).toHaveBeenCalledTimes(1);
    expect(now()).toMatchObject({ status: 'error', isLoading: false, isComplete: false, text: 'a' });
    expect(now().error?.code).toBe('provider_unavailable');
    act(() => now().clearError());
    expect(now()).toMatchObject({ status: 'ready', error: undefined, text: 'a' });
  });

  it('reports a disconnect, which is not a cancel', async () => {
    const { info, now } = await finished((stream) => stream.disconnect());
    expect(info).toMatchObject({ ...flags, isDisconnect: true, text: 'a', usage: undefined });
    expect(now()).toMatchObject({ status: 'ready', isLoading: false, isComplete: false });
    expect(stage.server.requests.some(({ path }) => path.endsWith('cancel'))).toBe(false);
  });

  it('reports a failure even if onError clears it', async () => {
    const onFinish = vi.fn<(info: FinishInfo) => void>();
    const { now } = mounted({ onFinish, onError: () => now().clearError() });
    act(() => void now().submit(QUESTION));
    await send(await line(), started(), failed(0));
    expect(onFinish.mock.calls[0]?.[0]).toMatchObject({ isError: true });
  });
});
