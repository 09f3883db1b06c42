// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { chunk, chunks, completed, started, STREAM } from './testing/scriptedEvents';
import { pass, settle } from './testing/scriptedLines';
import { TRANSPORTS, setStage } from './testing/stage';

const stage = setStage();

describe('a transport that is blocked', () => {
  it.each(['block', 'forbid'] as const)('is replaced by SSE with the same request (%s)', async (policy) => {
    stage.server.socketPolicy = policy;
    const { handle } = stage.ask({ transport: 'websocket' });
    await pass(1000);
    const line = await stage.server.sseLine();
    expect(line.asked).toMatchObject({ kind: 'start', requestId: handle.requestId });
    await line.send(started(), completed(0));
    expect([handle.status, handle.transport, handle.isFallback]).toEqual(['ready', 'sse', true]);
  });

  it('is replaced by SSE on the same stream and cursor in mid-answer', async () => {
    const { handle } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.line();
    await line.send(started(), ...chunks(0, 'a', 'b'));
    stage.server.socketPolicy = 'block';
    await line.cut();
    await pass(3000);
    const next = await stage.server.sseLine();
    expect(next.asked).toEqual({ kind: 'watch', streamId: STREAM, after: 1 });
    await next.send(started({ after: 1 }), chunk(2, 'c'), completed(3));
    expect((await handle.done).text).toBe('abc');
    expect(handle.isFallback).toBe(true);
  });

  it('is replaced by WebSocket if SSE can’t connect', async () => {
    const { handle } = stage.ask({ transport: 'sse' });
    await (await stage.server.sseLine()).reply(new Response('<h1>Blocked</h1>', { status: 502 }));
    await pass(300);
    await (await stage.server.sseLine()).reply(
      new Response('<h1>Sign in to this network</h1>', { headers: { 'Content-Type': 'text/html' } }),
    );
    await pass(600);
    const line = await stage.server.socketLine();
    expect(line.asked).toMatchObject({ kind: 'start', requestId: handle.requestId });
    await line.send(started(), completed(0));
    expect([handle.status, handle.isFallback]).toEqual(['ready', true]);
  });

  it('is replaced if it swallows what is sent: no first event in ten seconds', async () => {
    const { handle } = stage.ask({ transport: 'sse' });
    const line = await stage.server.sseLine();
    await line.open();
    await pass(9999);
    expect(line.isLetGo).toBe(false);
    await pass(1);
    expect([line.isLetGo, handle.status]).toEqual([true, 'reconnecting']);
    await pass(300);
    await (await stage.server.sseLine()).open();
    await pass(10_600);
    expect((await stage.server.line()).transport).toBe('websocket');
  });

  it('is replaced for every stream if sockets hang', async () => {
    stage.server.socketPolicy = 'hang';
    const first = stage.ask({ transport: 'websocket' });
    await pass(4000);
    const second = stage.keep(first.client.start({ blockType: 'quiz', prompt: 'The sea' }));
    await pass(24_000);
    expect(stage.server.lines.map((line) => line.transport)).toEqual(['sse', 'sse']);
    expect([first.handle.isFallback, second.isFallback]).toEqual([true, true]);
  });

  it('is kept if fallback is disabled', async () => {
    stage.server.socketPolicy = 'block';
    const { handle } = stage.ask({ transport: 'websocket', fallback: false });
    await pass(700_000);
    expect(stage.server.lines).toHaveLength(0);
    expect([handle.status, handle.problem?.code]).toEqual(['error', 'connection_lost']);
  });

  it('is kept after a cut if the server had accepted the connection', async () => {
    const { handle } = stage.ask({ transport: 'sse' });
    for (let i = 0; i < 4; i++) {
      const line = await stage.server.line();
      expect(line.transport).toBe('sse');
      await line.send(started({ after: i - 1 }), chunk(i, 'x'));
      await line.cut();
      await pass(300);
    }
    expect(handle.state.text).toBe('xxxx');
  });
});

describe('a server that names the other transport', () => {
  it('is obeyed at once, over 409', async () => {
    const { handle } = stage.ask({ transport: 'sse', fallback: false });
    const line = await stage.server.line();
    await line.refuse(409, 'transport_not_selected', { body: { selected: 'websocket' } });
    const next = await stage.server.socketLine();
    expect(next.asked).toEqual(line.asked);
    await next.send(started(), completed(0));
    expect([handle.status, handle.isFallback]).toEqual(['ready', false]);
  });

  it('is obeyed even if that transport is blocked', async () => {
    stage.server.socketPolicy = 'block';
    stage.ask({ transport: 'sse' });
    const body = { selected: 'websocket' };
    await (await stage.server.line()).refuse(409, 'transport_not_selected', { body });
    await pass(60_000);
    expect(stage.server.lines).toHaveLength(1);
    expect(stage.server.sockets.length).toBeGreaterThan(5);
  });

  it('is obeyed at once, over close code 4409', async () => {
    stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    await line.socket.shut(4409);
    expect((await stage.server.sseLine()).asked).toEqual(line.asked);
  });

  it('is obeyed at once, over a refused frame', async () => {
    stage.ask({ transport: 'websocket' });
    await (await stage.server.line()).refuse(409, 'transport_not_selected');
    expect((await stage.server.line()).transport).toBe('sse');
  });

  it('is not obeyed in a circle', async () => {
    const { handle } = stage.ask({ transport: 'sse' });
    for (const selected of ['websocket', 'sse', 'websocket']) {
      const body = { selected };
      await (await stage.server.line()).refuse(409, 'transport_not_selected', { body });
    }
    await pass(60_000);
    expect(handle.problem?.code).toBe('transport_not_selected');
    expect(stage.server.lines).toHaveLength(3);
  });
});

describe.each(TRANSPORTS)('signs of life over %s', (transport) => {
  it('keep a connection open while the model is silent, and 40 s without any close it', async () => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    for (let i = 0; i < 8; i++) {
      await pass(15_000);
      await line.alive();
    }
    expect([handle.status, line.isLetGo]).toEqual(['streaming', false]);
    await pass(39_999);
    expect(line.isLetGo).toBe(false);
    await pass(1);
    expect([handle.status, line.isLetGo]).toEqual(['reconnecting', true]);
    await pass(300);
    expect((await stage.server.line()).asked).toMatchObject({ kind: 'watch', after: 0 });
  });

  it('missing at a wake-up: the connection is closed and another opened at once', async () => {
    stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    await pass(16_000);
    await stage.server.wake();
    expect(line.isLetGo).toBe(false);
    await pass(1);
    await stage.server.wake();
    await stage.server.wake();
    expect(line.isLetGo).toBe(true);
    expect((await stage.server.line()).asked).toMatchObject({ kind: 'watch', after: 0 });
    expect(stage.server.lines).toHaveLength(2);
  });

  it('at a wake-up: a wait for the next attempt ends at once', async () => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    stage.server.isOffline = true;
    await line.cut();
    await pass(20_000);
    expect(handle.status).toBe('reconnecting');
    stage.server.isOffline = false;
    const before = stage.server.lines.length;
    await stage.server.wake();
    expect(stage.server.lines).toHaveLength(before + 1);
  });

  it('have no effect after the connection was cut', async () => {
    const { handle, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    await pass(40_000);
    expect(handle.status).toBe('reconnecting');
    await line.send(chunk(1, 'LATE'));
    await settle();
    expect(log).not.toContain('chunk LATE');
  });
});

describe('the preferred transport', () => {
  it.each(TRANSPORTS)('is the one that the server names: %s', async (backend) => {
    stage.server.streaming.backend = backend;
    const { handle } = stage.ask({ transport: 'auto' });
    expect((await stage.server.line()).transport).toBe(backend);
    expect([handle.transport, handle.isFallback]).toEqual([backend, false]);
  });

  it('is kept if the server disables fallback', async () => {
    stage.server.streaming = { ...stage.server.streaming, backend: 'websocket', fallback: false };
    stage.server.socketPolicy = 'block';
    stage.ask({ transport: 'auto' });
    await pass(200_000);
    expect(stage.server.lines).toHaveLength(0);
  });

  it.each([
    ['fails', 0, () => Response.json({}, { status: 500 })],
    ['never comes', 10_000, () => new Promise<Response>(() => undefined)],
  ])('is SSE if the configuration %s', async (_, wait, answer) => {
    stage.server.answers['GET /api/config'] = answer;
    const { handle } = stage.ask({ transport: 'auto' });
    await pass(wait);
    expect(handle.transport).toBe('sse');
  });

  it('is requested once for several streams', async () => {
    const { client } = stage.ask({ transport: 'auto' });
    await stage.server.line();
    stage.keep(client.watch({ streamId: STREAM }));
    await stage.server.line();
    expect(stage.server.calls('GET /api/config')).toHaveLength(1);
  });
});
