import { act, render, renderHook } from '@testing-library/react';
import { useEffect } from 'react';
import { describe, expect, it, vi } from 'vitest';

import { useAIStreaming } from './streamHooks';
import { send, hookStage, wait } from './testing/mounted';
import { chunk, chunks, completed, OTHER_STREAM, started, STREAM } from './testing/scriptedEvents';
import { QUESTION } from './testing/stage';
import type { AIStream } from './types';

const hooks = hookStage();
const { stage, mounted, line } = hooks;

describe('asking again', () => {
  it('with regenerate sends the same input as a new request', async () => {
    const { now } = mounted();
    act(() => void now().submit({ ...QUESTION, options: { tone: 'dry' } }));
    const first = await line();
    await send(first, started(), chunk(0, 'old'), completed(1));
    act(() => void now().regenerate());
    expect(now()).toMatchObject({ status: 'submitted', text: '', isComplete: false });
    const second = await line();
    const { requestId: before, ...same } = first.asked as { requestId: string };
    expect(second.asked).toMatchObject(same);
    expect((second.asked as { requestId: string }).requestId).not.toBe(before);
  });

  it('with regenerate continues the same stream again', async () => {
    const { now } = mounted();
    act(() => void now().submit({ ...QUESTION, continues: OTHER_STREAM }));
    expect(now().continues).toBe(OTHER_STREAM);
    const first = await line();
    await send(first, started({ continues: OTHER_STREAM }), chunk(0, 'the rest'), completed(1));
    expect(now()).toMatchObject({ continues: OTHER_STREAM, text: 'the rest' });
    act(() => void now().regenerate());
    expect((await line()).asked).toMatchObject({ continues: OTHER_STREAM });
    act(() => void now().submit(QUESTION));
    expect(now().continues).toBeUndefined();
    expect((await line()).asked).not.toMatchObject({ continues: OTHER_STREAM });
  });

  it('with regenerate sends a new request even if the first had an explicit id', async () => {
    const { now } = mounted();
    act(() => void now().submit({ ...QUESTION, requestId: 'mine' }));
    const first = await line();
    expect(first.asked).toMatchObject({ requestId: 'mine' });
    await send(first, started(), completed(0));
    act(() => void now().regenerate());
    expect((await line()).asked).not.toMatchObject({ requestId: 'mine' });
  });

  it('disconnects from the previous stream, whose late events appear nowhere', async () => {
    const onFinish = vi.fn();
    const { now } = mounted({ onFinish });
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started(), chunk(0, 'old'));
    act(() => void now().submit({ blockType: 'ask-question', prompt: 'And the sea?' }));
    expect(first.isLetGo).toBe(true);
    await send(await line(), started({ stream_id: 'c'.repeat(22) }));
    await send(first, chunk(1, 'LATE'));
    await wait(100);
    expect(now()).toMatchObject({ text: '', input: { prompt: 'And the sea?' } });
  });

  it('with resume after a disconnect continues the same stream', async () => {
    const { now } = mounted();
    act(() => void now().submit(QUESTION));
    await send(await line(), started(), chunk(0, 'a'));
    act(() => now().disconnect());
    act(() => void now().resume());
    expect(now()).toMatchObject({ status: 'submitted', text: 'a' });
    const next = await line();
    expect(next.asked).toEqual({ kind: 'watch', streamId: STREAM, after: 0 });
    await send(next, started({ after: 0 }), chunk(1, 'b'), completed(2));
    expect(now()).toMatchObject({ isComplete: true, text: 'ab', input: QUESTION });
  });

  it('with resume repeats the request of a start that was given up before any response', async () => {
    const { now } = mounted();
    act(() => void now().submit(QUESTION));
    const first = await line();
    act(() => now().disconnect());
    act(() => void now().resume());
    expect((await line()).asked).toEqual(first.asked);
  });

  it('with resume and an id watches that stream', async () => {
    const { now } = mounted();
    act(() => void now().resume(STREAM));
    await send(await line(), started(), chunk(0, 'a'));
    await wait(100);
    expect(now()).toMatchObject({ status: 'streaming', text: 'a', input: undefined });
  });

  it('is in its initial state after reset', async () => {
    const { now } = mounted({ resume: true, id: 'main' });
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started(), chunk(0, 'a'));
    act(() => now().reset());
    expect(first.isLetGo).toBe(true);
    expect(now()).toMatchObject({ status: 'ready', text: '', streamId: undefined, input: undefined });
    expect(sessionStorage).toHaveLength(0);
    act(() => void now().regenerate());
    await wait(1000);
    expect(stage.server.lines).toHaveLength(1);
  });
});

describe('a component that unmounts', () => {
  it('leaves its stream running', async () => {
    const { now, unmount } = mounted();
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started(), chunk(0, 'a'));
    unmount();
    await wait(0);
    expect(first.isLetGo).toBe(true);
    expect(stage.server.requests.some(({ path }) => path.endsWith('cancel'))).toBe(false);
  });

  it('stops it if told to', async () => {
    stage.server.answers[`POST /api/streams/${STREAM}/cancel`] = () => Response.json({});
    const { now, unmount } = mounted({ onUnmount: 'cancel' });
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started(), chunk(0, 'a'));
    unmount();
    await wait(0);
    expect(first.isLetGo).toBe(true);
    expect(stage.server.calls(`POST /api/streams/${STREAM}/cancel`)).toHaveLength(1);
  });

  it('finds its stream again when it mounts again', async () => {
    const { now, unmount } = mounted({ resume: true, id: 'main' });
    act(() => void now().submit(QUESTION));
    await send(await line(), started(), chunk(0, 'a'));
    unmount();
    await wait(0);
    const again = mounted({ resume: true, id: 'main' });
    const next = await line();
    expect(next.asked).toMatchObject({ kind: 'watch', streamId: STREAM });
    await send(next, started(), ...chunks(0, 'a', 'b'), completed(2));
    expect(again.now()).toMatchObject({ isComplete: true, text: 'ab' });
    again.unmount();
    await wait(0);
    mounted({ resume: true, id: 'main' });
    await wait(1000);
    expect(stage.server.lines).toHaveLength(2); // it has ended, so there is nothing to resume
  });

  it('remembers a stream whose connection was given up, but not one that does not exist', async () => {
    sessionStorage.setItem('liveai:stream:main', STREAM);
    const client = stage.client({ transport: 'sse', fallback: false, maxAttempts: 1 });
    const { unmount } = mounted({ client, resume: true, id: 'main' });
    await act(async () => (await stage.server.line()).cut());
    await wait(1000);
    await act(async () => (await stage.server.line()).cut());
    expect(sessionStorage.getItem('liveai:stream:main')).toBe(STREAM);
    unmount();
    const { now } = mounted({ resume: true, id: 'main' });
    await act(async () => (await stage.server.line()).refuse(404, 'not_found'));
    expect([now().status, sessionStorage.length]).toEqual(['error', 0]);
  });

  it('does not resume another hook’s stream, or any without being told to', async () => {
    sessionStorage.setItem('liveai:stream:main', STREAM);
    mounted({ resume: true, id: 'other' });
    mounted({ id: 'main' });
    await wait(1000);
    expect(stage.server.lines).toHaveLength(0);
  });
});

describe('under StrictMode', () => {
  const strict = { reactStrictMode: true };

  it('an effect that asks does so once', async () => {
    let effects = 0;
    const hook = renderHook(
      () => {
        const stream = useAIStreaming({ client: hooks.client });
        const { submit } = stream;
        useEffect(() => {
          effects += 1;
          void submit(QUESTION);
        }, [submit]);
        return stream;
      },
      strict,
    );
    const first = await line();
    expect(effects).toBe(2);
    await wait(1000);
    expect(stage.server.lines).toHaveLength(1);
    await send(first, started(), chunk(0, 'a'), completed(1));
    expect(hook.result.current).toMatchObject({ isComplete: true, text: 'a' });
  });

  it('a stream is not lost, whether started or resumed', async () => {
    sessionStorage.setItem('liveai:stream:main', STREAM);
    const hook = renderHook(() => useAIStreaming({ client: hooks.client, resume: true, id: 'main' }), strict);
    const first = await line();
    await wait(1000);
    expect([stage.server.lines.length, first.isLetGo]).toEqual([1, false]);
    await send(first, started(), chunk(0, 'a'), completed(1));
    expect(hook.result.current.text).toBe('a');
  });
});

describe('a child', () => {
  it('may ask in its first effect, with the page’s default client', async () => {
    const fetched = vi.fn(() => Promise.reject(new TypeError('away')));
    vi.stubGlobal('fetch', fetched);
    const Child = ({ submit }: { submit: AIStream['submit'] }) => {
      useEffect(() => void submit(QUESTION), [submit]);
      return null;
    };
    const Parent = () => <Child submit={useAIStreaming({ transport: 'sse' }).submit} />;
    const { unmount } = render(<Parent />);
    await wait(0);
    expect(fetched).toHaveBeenCalledWith('/api/config', expect.anything());
    unmount();
    await wait(0);
    vi.unstubAllGlobals();
  });
});
