/** A model that reasons before it writes, as a run and a hook show it. */
import { act } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import { hookStage, send, wait } from './testing/mounted';
import { chunk, completed, started, STREAM, thinking } from './testing/scriptedEvents';
import { pass } from './testing/scriptedLines';
import { QUESTION, TRANSPORTS } from './testing/stage';

const { stage, mounted, line } = hookStage();

describe.each(TRANSPORTS)('a run over %s', (transport) => {
  it('reports thinking, which moves no cursor and is no text', async () => {
    const { handle, log } = stage.ask({ transport });
    const first = await stage.server.line();
    await first.send(started(), thinking(0), thinking(1004));
    expect([handle.status, handle.lastSeq, handle.state.text]).toEqual(['submitted', -1, '']);
    expect(handle.state.thinking).toEqual({ isThinking: true, sinceMs: 1004 });
    await first.send(chunk(0, 'Because'), completed(1));
    expect(handle.state.thinking).toEqual({ isThinking: false, sinceMs: 1004 });
    expect(log).toEqual([
      'start -1', 'thinking 0', 'thinking 1004', 'is streaming', 'chunk Because', 'complete', 'is ready',
    ]);
  });

  it('counts thinking as a sign of life', async () => {
    const { handle } = stage.ask({ transport, silenceMs: 5000 });
    const first = await stage.server.line();
    await first.send(started());
    for (const sinceMs of [0, 4000, 8000, 12_000]) {
      // oxlint-disable-next-line no-await-in-loop
      await first.send(thinking(sinceMs));
      // oxlint-disable-next-line no-await-in-loop
      await pass(4000);
      expect(handle.status).toBe('submitted');
    }
    await pass(1001);
    expect(handle.status).toBe('reconnecting');
  });

  it('resumes after a lost connection from the same cursor, and goes on thinking', async () => {
    const { handle } = stage.ask({ transport });
    const first = await stage.server.line();
    await first.send(started(), thinking(3000));
    await first.cut();
    handle.reconnectNow();
    const second = await stage.server.line();
    expect(second.asked).toEqual({ kind: 'watch', streamId: STREAM, after: -1 });
    await second.send(started());
    expect(handle.state.thinking).toEqual({ isThinking: true, sinceMs: 3000 });
    await second.send(thinking(5000), chunk(0, 'So'), completed(1));
    expect(handle.state).toMatchObject({ text: 'So', thinking: { isThinking: false, sinceMs: 5000 } });
  });
});

describe('useAIStreaming', () => {
  it('says whether the model thinks and for how long, and calls onThinking', async () => {
    const onThinking = vi.fn();
    const { now } = mounted({ onThinking });
    expect(now().thinking).toBeUndefined();
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, started(), thinking(2008));
    await wait(100);
    expect(now()).toMatchObject({ status: 'submitted', thinking: { isThinking: true, sinceMs: 2008 } });
    expect(onThinking).toHaveBeenCalledExactlyOnceWith({ type: 'thinking', stream_id: STREAM, since_ms: 2008 });
    await send(first, chunk(0, 'Because'), completed(1));
    expect(now()).toMatchObject({ isComplete: true, thinking: { isThinking: false, sinceMs: 2008 } });
  });

  it('forgets the thinking with reset and regenerate', async () => {
    const { now } = mounted();
    act(() => void now().submit(QUESTION));
    await send(await line(), started(), thinking(2008), chunk(0, 'Because'), completed(1));
    expect(now().thinking).toBeDefined();
    act(() => void now().regenerate());
    expect(now().thinking).toBeUndefined();
    await send(await line(), started(), thinking(0), chunk(0, 'Because'), completed(1));
    expect(now().thinking).toEqual({ isThinking: false, sinceMs: 0 });
    act(() => now().reset());
    expect(now().thinking).toBeUndefined();
  });
});
