/** A stream that waits for a place on a full server, as a run and a hook show it. */
import { act } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import { hookStage, send, wait } from './testing/mounted';
import { cancelled, chunk, completed, item, queued, snapshot, started, STREAM, thinking } from './testing/scriptedEvents';
import { QUESTION, TRANSPORTS } from './testing/stage';

const { stage, mounted, line } = hookStage();
const inLine = started({ status: 'queued' });

describe.each(TRANSPORTS)('a run over %s', (transport) => {
  it('reports its place in line, which moves no cursor and is no text', async () => {
    const { handle, log } = stage.ask({ transport });
    const first = await stage.server.line();
    await first.send(inLine, queued(3), queued(1));
    expect([handle.status, handle.lastSeq, handle.state.queuePlace]).toEqual(['submitted', -1, 1]);
    await first.send(chunk(0, 'At last'), completed(1));
    expect(handle.state).toMatchObject({ text: 'At last', queuePlace: null });
    expect(log.slice(0, 3)).toEqual(['start -1', 'queue 3', 'queue 1']);
  });

  it('keeps its place over a lost connection for as long as it waits', async () => {
    const { handle } = stage.ask({ transport });
    const first = await stage.server.line();
    await first.send(inLine, queued(3));
    await first.cut();
    expect(handle.state.queuePlace).toBe(3);
    handle.reconnectNow();
    const second = await stage.server.line();
    expect(second.asked).toEqual({ kind: 'watch', streamId: STREAM, after: -1 });
    await second.send(inLine);
    expect(handle.state.queuePlace).toBe(3);
    await second.cut();
    handle.reconnectNow();
    await (await stage.server.line()).send(started());
    expect(handle.state.queuePlace).toBeNull();
  });

  it.each([
    ['thinking', thinking(0)],
    ['an item', item(0, '/title', 'A')],
    ['a snapshot', snapshot(4, 'So')],
    ['the end', cancelled(0)],
    ['a start of another stream', started({ stream_id: 'YW5vdGhlci1vbmUtaGVyZQ', status: 'queued' })],
  ])('leaves the line with %s', async (_, event) => {
    const { handle } = stage.ask({ transport });
    const first = await stage.server.line();
    await first.send(inLine, queued(2));
    expect(handle.state.queuePlace).toBe(2);
    await first.send(event);
    expect(handle.state.queuePlace).toBeNull();
  });

  it('takes no place after the end', async () => {
    const { handle } = stage.ask({ transport });
    await (await stage.server.line()).send(inLine, queued(2), cancelled(0), queued(1));
    expect(handle.state.queuePlace).toBeNull();
  });
});

describe('useAIStreaming', () => {
  it('returns the place in line, and calls onQueue', async () => {
    const onQueue = vi.fn();
    const { now } = mounted({ onQueue });
    expect(now().queuePlace).toBeNull();
    act(() => void now().submit(QUESTION));
    const first = await line();
    await send(first, inLine, queued(12));
    await wait(100);
    expect(now()).toMatchObject({ status: 'submitted', isLoading: true, queuePlace: 12 });
    expect(onQueue).toHaveBeenCalledExactlyOnceWith({ type: 'queue', stream_id: STREAM, place: 12 });
    act(() => now().disconnect());
    expect(now().queuePlace).toBeNull();
  });
});
