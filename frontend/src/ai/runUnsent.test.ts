// @vitest-environment node
import { describe, expect, it, vi } from 'vitest';

import { completed, started } from './testing/scriptedEvents';
import { pass } from './testing/scriptedLines';
import { TRANSPORTS, setStage } from './testing/stage';

const stage = setStage();
const BY_REQUEST = 'POST /api/streams/cancel';
const MINUTE = 60_000;

describe.each(TRANSPORTS)('a question that the server has not taken, over %s', (transport) => {
  const askOffline = () => {
    stage.server.isOffline = true;
    return stage.ask({ transport, fallback: false });
  };

  it('is sent once the server is back, though that takes minutes', async () => {
    const { handle } = askOffline();
    await pass(8 * MINUTE);
    expect([handle.status, handle.streamId]).toEqual(['reconnecting', undefined]);
    stage.server.isOffline = false;
    await stage.server.wake();
    await (await stage.server.line()).send(started(), completed(0));
    expect(handle.status).toBe('ready');
    expect(stage.server.lines).toHaveLength(1);
  });

  it('is kept for ten minutes, and then waits for the user', async () => {
    const { handle } = askOffline();
    await pass(11 * MINUTE);
    expect(handle.problem).toMatchObject({ code: 'connection_lost', isRetryable: true });
    expect(handle.problem?.message).not.toMatch(/answer/u);
    stage.server.isOffline = false;
    await stage.server.wake();
    await pass(MINUTE);
    expect(stage.server.lines).toHaveLength(0);
  });

  it('is not sent by a computer that slept for an hour', async () => {
    const { handle } = askOffline();
    await pass(5_000);
    vi.setSystemTime(Date.now() + 60 * MINUTE);
    stage.server.isOffline = false;
    await stage.server.wake();
    await pass(MINUTE);
    expect(handle.problem?.code).toBe('connection_lost');
    expect(stage.server.lines).toHaveLength(0);
  });

  it('waits for the reason of the last attempt, not of an earlier one', async () => {
    const { handle } = stage.ask({ transport, fallback: false });
    await (await stage.server.line()).refuse(503, 'over_capacity', { retryAfterMs: 1000 });
    expect(handle.lineProblem?.code).toBe('over_capacity');
    stage.server.isOffline = true;
    for (const socket of stage.server.sockets) socket.shut(1006);
    await pass(2_000);
    expect([handle.status, handle.lineProblem]).toEqual(['reconnecting', undefined]);
  });

  it('is dropped at once by a stop, which still reaches the server later', async () => {
    const { handle } = askOffline();
    await pass(5_000);
    await handle.cancel();
    expect([handle.status, handle.isCancelledUnseen]).toEqual(['ready', true]);
    await handle.done;
    stage.server.isOffline = false;
    stage.server.answers[BY_REQUEST] = () => Response.json({ stream_id: null, status: 'cancelled' });
    await pass(MINUTE);
    expect(stage.server.calls(BY_REQUEST).at(-1)?.body).toEqual({ request_id: handle.requestId });
    const { length } = stage.server.calls(BY_REQUEST);
    await pass(MINUTE);
    expect(stage.server.calls(BY_REQUEST)).toHaveLength(length);
    expect(stage.server.lines).toHaveLength(0);
  });
});
