// @vitest-environment node
import { beforeEach, describe, expect, it } from 'vitest';

import { cancelled, chunk, completed, started, STREAM } from './testing/scriptedEvents';
import { pass } from './testing/scriptedLines';
import { TRANSPORTS, setStage } from './testing/stage';

const stage = setStage();
const BY_ID = `POST /api/streams/${STREAM}/cancel`;
const BY_REQUEST = 'POST /api/streams/cancel';

beforeEach(() => {
  stage.server.answers[BY_ID] = () => Response.json({ stream_id: STREAM, status: 'cancelled' });
  stage.server.answers[BY_REQUEST] = () => Response.json({ stream_id: null, status: 'cancelled' });
});

describe.each(TRANSPORTS)('cancel over %s', (transport) => {
  it('stops the stream by its id with the CSRF token, and receives the end', async () => {
    const { handle, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    await handle.cancel();
    const [call] = stage.server.calls(BY_ID);
    expect(call?.headers['x-csrftoken']).toBe('token-1');
    expect(handle.status).toBe('streaming');
    await line.send(cancelled(1));
    expect([handle.status, handle.state.status]).toEqual(['ready', 'cancelled']);
    expect(log).toContain('cancelled owner');
    await pass(60_000);
    expect(stage.server.calls(BY_ID)).toHaveLength(1);
  });

  it('stops it by its request before the id is known', async () => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await handle.cancel();
    expect(stage.server.calls(BY_REQUEST)[0]?.body).toEqual({ request_id: handle.requestId });
    expect([handle.status, line.isLetGo]).toEqual(['submitted', false]);
    await line.send(started(), cancelled(0));
    expect([handle.status, handle.isCancelledUnseen]).toEqual(['ready', false]);
  });

  it('while reconnecting is sent at once, and the end is fetched', async () => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    await line.cut();
    await handle.cancel();
    await (await stage.server.line()).send(started({ after: 0 }), cancelled(1));
    expect(handle.state.status).toBe('cancelled');
  });

  it('while offline is repeated until the server has received it', async () => {
    const { handle } = stage.ask({ transport, fallback: false });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    stage.server.isOffline = true;
    await line.cut();
    let heard = 0;
    stage.server.answers[BY_ID] = () => {
      heard += 1;
      return Response.json({ stream_id: STREAM, status: 'cancelled' });
    };
    await handle.cancel();
    await pass(20_000);
    expect(heard).toBe(0);
    stage.server.isOffline = false;
    await pass(15_000);
    expect(heard).toBeGreaterThan(0);
    const calls = stage.server.calls(BY_ID).length;
    await stage.server.lines.at(-1)?.send(started({ after: 0 }), cancelled(1));
    expect(handle.state.status).toBe('cancelled');
    await pass(60_000);
    expect(stage.server.calls(BY_ID)).toHaveLength(calls);
  });

  it('that fails although the connection is up is repeated too', async () => {
    let tries = 0;
    stage.server.answers[BY_ID] = () =>
      ++tries < 3
        ? Response.json({ code: 'store_unavailable' }, { status: 503 })
        : Response.json({ stream_id: STREAM, status: 'cancelled' });
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    await handle.cancel();
    await pass(5000);
    await line.alive();
    expect(tries).toBe(3);
    await pass(30_000);
    expect(tries).toBe(3);
  });

  it('that failed is not repeated after a disconnect', async () => {
    stage.server.answers[BY_ID] = () => Response.json({ code: 'store_unavailable' }, { status: 503 });
    const { handle } = stage.ask({ transport });
    await (await stage.server.line()).send(started(), chunk(0, 'a'));
    await handle.cancel();
    handle.disconnect();
    await pass(30_000);
    expect(stage.server.calls(BY_ID)).toHaveLength(1);
  });

  it('that is forbidden is not repeated', async () => {
    stage.server.answers[BY_ID] = () => Response.json({ code: 'forbidden' }, { status: 403 });
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    await handle.cancel();
    expect(handle.stopProblem?.code).toBe('forbidden');
    expect([handle.isStopping, handle.status]).toEqual([false, 'streaming']);
    await pass(30_000);
    expect(stage.server.calls(BY_ID)).toHaveLength(1);
    // The answer continues, and the stop can be tried again.
    await line.send(chunk(1, 'b'));
    expect(handle.state.text).toBe('ab');
    stage.server.answers[BY_ID] = () => Response.json({ stream_id: STREAM, status: 'cancelled' });
    await handle.cancel();
    expect([handle.isStopping, handle.stopProblem]).toEqual([true, undefined]);
    await line.send(cancelled(2));
    expect([handle.isStopping, handle.status]).toEqual([false, 'ready']);
  });

  it('that is refused before the id is known is reported too', async () => {
    stage.server.answers[BY_REQUEST] = () => Response.json({ code: 'rate_limited' }, { status: 403 });
    const { handle } = stage.ask({ transport });
    await stage.server.line();
    await handle.cancel();
    expect([handle.stopProblem?.code, handle.isStopping]).toEqual(['rate_limited', false]);
  });

  it('that keeps failing is given up, with the reason', async () => {
    stage.server.answers[BY_ID] = () => Response.json({ code: 'store_unavailable' }, { status: 503 });
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    await handle.cancel();
    expect(handle.isStopping).toBe(true);
    for (let minute = 0; minute < 12; minute += 1) {
      await pass(10_000);
      await line.alive();
    }
    expect([handle.stopProblem?.code, handle.isStopping]).toEqual(['store_unavailable', false]);
    expect(stage.server.calls(BY_ID)).toHaveLength(8);
  });

  it('of a start that the server never received ends the run, and the start is not sent again', async () => {
    stage.server.isOffline = true;
    stage.server.socketPolicy = 'block';
    const { handle } = stage.ask({ transport, fallback: false });
    await pass(2000);
    const { length } = stage.server.lines;
    stage.server.isOffline = false;
    await handle.cancel();
    expect([handle.status, handle.isCancelledUnseen]).toEqual(['ready', true]);
    await handle.done;
    await pass(60_000);
    expect(stage.server.lines).toHaveLength(length);
  });

  it('of a start that the server received before the connection was lost waits for the end', async () => {
    stage.server.answers[BY_REQUEST] = () => Response.json({ stream_id: STREAM, status: 'cancelled' });
    const { handle } = stage.ask({ transport });
    await (await stage.server.line()).cut();
    await handle.cancel();
    expect(handle.isCancelledUnseen).toBe(false);
    await pass(300);
    await (await stage.server.line()).send(started(), cancelled(0));
    expect(handle.state.status).toBe('cancelled');
  });

  it('does nothing after the end', async () => {
    const { handle } = stage.ask({ transport });
    await (await stage.server.line()).send(started(), completed(0));
    await handle.cancel();
    expect(stage.server.calls(BY_ID)).toHaveLength(0);
  });
});

describe.each(TRANSPORTS)('disconnect over %s', (transport) => {
  it('closes the connection and cancels nothing', async () => {
    const { handle, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    handle.disconnect();
    handle.disconnect();
    expect([handle.status, line.isLetGo]).toEqual(['ready', true]);
    expect((await handle.done).text).toBe('a');
    await line.send(chunk(1, 'b'));
    await pass(60_000);
    expect(log.at(-1)).toBe('chunk a');
    expect([handle.state.text, stage.server.lines.length]).toEqual(['a', 1]);
    expect(stage.server.requests.some(({ path }) => path.endsWith('/cancel'))).toBe(false);
  });

  it('before anything was sent sends nothing', async () => {
    const { handle } = stage.ask({ transport });
    handle.disconnect();
    await pass(60_000);
    expect([stage.server.lines.length, handle.status]).toEqual([0, 'ready']);
  });

  it('while waiting for the next attempt stops waiting', async () => {
    const { handle } = stage.ask({ transport });
    await (await stage.server.line()).cut();
    handle.disconnect();
    await pass(60_000);
    expect(stage.server.lines).toHaveLength(1);
  });
});
