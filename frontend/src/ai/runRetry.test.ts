// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { chunk, completed, started, STREAM } from './testing/scriptedEvents';
import { pass } from './testing/scriptedLines';
import { TRANSPORTS, setStage } from './testing/stage';

const stage = setStage();

describe.each(TRANSPORTS)('a run that is refused over %s', (transport) => {
  it.each([
    [400, 'invalid_input'],
    [401, 'not_authenticated'],
    [403, 'forbidden'],
    [404, 'unknown_block'],
    [409, 'request_conflict'],
    [413, 'prompt_too_long'],
    [415, 'unsupported_media_type'],
  ])('is not retried after %d %s', async (status, code) => {
    const { handle, log } = stage.ask({ transport });
    await (await stage.server.line()).refuse(status, code);
    expect(handle.status).toBe('error');
    expect(handle.problem).toMatchObject({ code, message: `No: ${code}.`, isRetryable: false });
    await pass(120_000);
    expect(stage.server.lines).toHaveLength(1);
    expect(log).toEqual([`error ${code}`, 'is error']);
    await handle.done;
  });

  it.each([
    [429, 'too_many_streams'],
    [503, 'over_capacity'],
  ])('is retried after %d %s if the server says so', async (status, code) => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.refuse(status, code, { retryAfterMs: 5000 });
    expect(handle.status).toBe('reconnecting');
    expect(handle.lineProblem).toMatchObject({ code, message: `No: ${code}.` });
    await pass(4999);
    expect(stage.server.lines).toHaveLength(1);
    await pass(301);
    const next = await stage.server.line();
    expect(next.asked).toEqual(line.asked);
    await next.send(started(), completed(0));
    expect([handle.status, handle.lineProblem]).toEqual(['ready', undefined]);
  });

  it('does not switch the transport because it is asked to wait', async () => {
    stage.ask({ transport });
    for (let i = 0; i < 4; i++) {
      const line = await stage.server.line();
      expect(line.transport).toBe(transport);
      await line.refuse(503, 'over_capacity', { retryAfterMs: 1000 });
      await pass(4000);
    }
  });

  it('reports a wait of more than half a minute to the user', async () => {
    const { handle } = stage.ask({ transport });
    await (await stage.server.line()).refuse(429, 'quota_exceeded', { retryAfterMs: 3_600_000 });
    expect(handle.problem).toMatchObject({
      code: 'quota_exceeded',
      retryAfterMs: 3_600_000,
      isRetryable: true,
    });
    await pass(120_000);
    expect(stage.server.lines).toHaveLength(1);
  });
});

describe('a start that can’t get a CSRF token', () => {
  it('is not repeated if the server refuses the token for good', async () => {
    stage.server.answers['GET /api/config'] = () => Response.json({ code: 'forbidden' }, { status: 403 });
    const { handle } = stage.ask();
    await pass(60_000);
    expect(handle.problem?.code).toBe('forbidden');
    expect(stage.server.calls('GET /api/config')).toHaveLength(1);
    expect(stage.server.lines).toHaveLength(0);
  });
});

describe('Retry-After', () => {
  it('may be a date', async () => {
    stage.ask();
    const date = new Date(Date.now() + 8000).toUTCString();
    await (await stage.server.line()).refuse(503, 'shutting_down', { retryAfter: date });
    await pass(7999);
    expect(stage.server.lines).toHaveLength(1);
    await pass(301);
    expect(stage.server.lines).toHaveLength(2);
  });
});

describe('a rejected CSRF token', () => {
  it('is renewed once, within the same attempt', async () => {
    const { handle } = stage.ask();
    const line = await stage.server.sseLine();
    expect(line.request.headers['x-csrftoken']).toBe('token-1');
    await line.refuse(403, 'csrf_failed');
    const next = await stage.server.sseLine();
    expect(next.request.headers['x-csrftoken']).toBe('token-2');
    expect(next.asked).toEqual(line.asked);
    await next.send(started(), completed(0));
    expect([handle.status, handle.metrics.reconnects]).toEqual(['ready', 0]);
  });

  it('twice in a row is final', async () => {
    const { handle } = stage.ask();
    await (await stage.server.line()).refuse(403, 'csrf_failed');
    await (await stage.server.line()).refuse(403, 'csrf_failed');
    expect(handle.problem).toMatchObject({ code: 'csrf_failed' });
    await pass(60_000);
    expect(stage.server.lines).toHaveLength(2);
  });
});

describe('waits between attempts', () => {
  it('grow, with jitter, up to a bound; then the run gives up and can be resumed', async () => {
    const delays: number[] = [];
    const { handle, client, log } = stage.ask({
      fallback: false,
      handlers: { onReconnect: ({ delayMs }) => delays.push(delayMs) },
    });
    await (await stage.server.line()).send(started(), chunk(0, 'a'));
    stage.server.isOffline = true;
    await stage.server.lines[0]?.cut();
    await pass(200_000);
    expect(handle.status).toBe('error');
    expect(handle.problem).toMatchObject({ code: 'connection_lost', isRetryable: true });
    expect(log.filter((entry) => entry === 'error connection_lost')).toHaveLength(1);
    expect(delays).toHaveLength(12);
    delays.forEach((delay, attempt) => {
      const whole = Math.min(15_000, 300 * 2 ** attempt);
      expect(delay).toBeGreaterThanOrEqual(whole / 2);
      expect(delay).toBeLessThanOrEqual(whole);
    });
    expect(new Set(delays.map((delay, i) => delay / Math.min(15_000, 300 * 2 ** i))).size).toBe(12);
    expect((await handle.done).text).toBe('a');

    stage.server.isOffline = false;
    const again = stage.keep(client.watch({ streamId: STREAM }));
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'), chunk(1, 'b'), completed(2));
    expect((await again.done).text).toBe('ab');
  });

  it('start small again after an event, but not after a start alone', async () => {
    const delays: number[] = [];
    stage.ask({ fallback: false, handlers: { onReconnect: ({ delayMs }) => delays.push(delayMs) } });
    for (let i = 0; i < 5; i++) {
      const line = await stage.server.line();
      await line.send(started());
      if (i === 3) await line.send(chunk(0, 'a'));
      await line.cut();
      await pass(5000);
    }
    expect(delays[2]).toBeGreaterThanOrEqual(600);
    expect(delays[3]).toBeLessThanOrEqual(300);
    expect(delays[4]).toBeGreaterThan(299);
  });

  it('use up the attempts on a server that accepts and drops at once', async () => {
    const { handle } = stage.ask({ fallback: false });
    for (let i = 0; i <= 12; i++) {
      const line = await stage.server.line();
      await line.send(started());
      await line.cut();
      await pass(15_000);
    }
    expect(handle.problem?.code).toBe('connection_lost');
    expect(stage.server.lines).toHaveLength(13);
  });

  it('use up the attempts if every one hangs', async () => {
    // Timers fire late in a busy page: each slightly after ten seconds.
    const { setTimeout: exact } = stage.server.environment;
    stage.server.environment.setTimeout = (callback, ms) => exact(callback, ms + 7);
    const { handle } = stage.ask({ fallback: false, maxAttempts: 3 });
    await pass(60_000);
    expect([handle.status, stage.server.lines.length]).toEqual(['error', 4]);
  });

  it('end at once if a caller asks for it', async () => {
    const { handle } = stage.ask();
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    await line.cut();
    handle.reconnectNow();
    handle.reconnectNow();
    expect(handle.nextTryAt).toBeUndefined();
    await (await stage.server.line()).send(started({ after: 0 }), completed(1));
    await pass(60_000);
    expect(stage.server.lines).toHaveLength(2);
  });
});
