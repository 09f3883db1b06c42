// @vitest-environment node
import { describe, expect, it } from 'vitest';

import {
  chunk,
  chunks,
  completed,
  failed,
  goodbye,
  item,
  OTHER_STREAM,
  reset,
  snapshot,
  started,
  STREAM,
  cancelled,
} from './testing/scriptedEvents';
import { pass } from './testing/scriptedLines';
import { TRANSPORTS, setStage } from './testing/stage';

const stage = setStage();

describe.each(TRANSPORTS)('a run over %s', (transport) => {
  it('goes from start through chunks to its end', async () => {
    const { handle, log } = stage.ask({ transport });
    expect(handle.status).toBe('submitted');
    const line = await stage.server.line();
    await line.send(started());
    expect([handle.status, handle.streamId]).toEqual(['submitted', STREAM]);
    await line.send(chunk(0, 'Because'));
    expect([handle.status, handle.lastSeq]).toEqual(['streaming', 0]);
    await line.send(chunk(1, ' of'), completed(2));
    expect(log).toEqual([
      'start -1',
      'is streaming',
      'chunk Because',
      'chunk  of',
      'complete',
      'is ready',
    ]);
    expect((await handle.done).text).toBe('Because of');
    expect(handle.state.terminal).toEqual(completed(2));
    expect([handle.transport, handle.isFallback]).toEqual([transport, false]);
  });

  it('applies parts, resets and snapshots', async () => {
    const { handle, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'Sk', { path: '/title' }), item(1, '/title', 'Sky'));
    expect(handle.state).toMatchObject({ items: [{ path: '/title', value: 'Sky' }], arriving: {} });
    await line.send(reset(2));
    expect([handle.state.items, handle.status]).toEqual([[], 'submitted']);
    await line.send(snapshot(9, 'Ten words'), chunk(10, ' more'), completed(11));
    expect(handle.state).toMatchObject({ text: 'Ten words more', lastSeq: 11, status: 'complete' });
    expect(log.filter((entry) => !entry.startsWith('is'))).toEqual([
      'start -1',
      'chunk Sk',
      'item /title',
      'reset retry',
      'snapshot Ten words',
      'chunk  more',
      'complete',
    ]);
  });

  it('ends with the problem of an error event, and keeps what it received', async () => {
    const { handle, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'), failed(1));
    expect(handle.status).toBe('error');
    expect(handle.problem).toMatchObject({ code: 'provider_unavailable', isRetryable: true });
    expect((await handle.done).text).toBe('a');
    expect(log.filter((entry) => entry.startsWith('error'))).toEqual(['error provider_unavailable']);
  });

  it('is ready after somebody stopped it', async () => {
    const { handle, log } = stage.ask({ transport });
    await (await stage.server.line()).send(started(), chunk(0, 'a'), cancelled(1));
    expect(handle.status).toBe('ready');
    expect(log).toContain('cancelled owner');
  });

  it('resumes from its cursor after a cut in mid-answer, and never starts a second stream', async () => {
    const { handle, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), ...chunks(0, 'a', 'b'));
    await line.cut();
    expect(handle.status).toBe('reconnecting');
    expect(handle.nextTryAt).toBeGreaterThan(Date.now());
    await pass(300);
    const next = await stage.server.line();
    expect(next.asked).toEqual({ kind: 'watch', streamId: STREAM, after: 1 });
    await next.send(started({ after: 1 }), chunk(2, 'c'), completed(3));
    expect((await handle.done).text).toBe('abc');
    expect(log.filter((entry) => entry.startsWith('chunk'))).toEqual(['chunk a', 'chunk b', 'chunk c']);
    expect(handle.metrics.reconnects).toBe(1);
    expect(stage.server.lines).toHaveLength(2);
  });

  it('repeats the same request after a cut before the start', async () => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.cut();
    await pass(300);
    const next = await stage.server.line();
    expect(next.asked.kind).toBe('start');
    expect(next.asked).toEqual(line.asked);
    await next.send(started(), completed(0));
    expect(handle.status).toBe('ready');
  });

  it('resumes from its cursor when events are missing', async () => {
    const { handle, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'), chunk(2, 'c'), chunk(3, 'd'));
    expect(line.isLetGo).toBe(true);
    expect(log).not.toContain('chunk c');
    await pass(300);
    const next = await stage.server.line();
    expect(next.asked).toEqual({ kind: 'watch', streamId: STREAM, after: 0 });
    await next.send(started({ after: 0 }), ...chunks(1, 'b', 'c', 'd'), completed(4));
    expect((await handle.done).text).toBe('abcd');
  });

  it('resumes instead of applying a merged chunk that it has in part', async () => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), ...chunks(0, 'a', 'b'), chunk(3, 'bcd', { first_seq: 1 }));
    expect(handle.state.text).toBe('ab');
    await pass(300);
    const next = await stage.server.line();
    expect(next.asked).toMatchObject({ after: 1 });
    await next.send(started({ after: 1 }), chunk(3, 'cd', { first_seq: 2 }), completed(4));
    expect((await handle.done).text).toBe('abcd');
  });

  it('drops what it already has, without calling a handler', async () => {
    const { handle, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), ...chunks(0, 'a', 'b'), ...chunks(0, 'a', 'b'), chunk(2, 'c'), completed(3));
    expect((await handle.done).text).toBe('abc');
    expect(log.filter((entry) => entry === 'chunk a')).toHaveLength(1);
  });

  it('starts over with a start from the beginning', async () => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), ...chunks(0, 'a', 'b'));
    await line.cut();
    await pass(300);
    await (await stage.server.line()).send(started(), ...chunks(0, 'x', 'y'), completed(2));
    expect((await handle.done).text).toBe('xy');
  });

  it('waits as long as a reconnect event asks for, and resumes from its cursor', async () => {
    const { handle, log } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'), goodbye(2000));
    expect([handle.status, line.isLetGo]).toEqual(['reconnecting', true]);
    expect(log).toContain('reconnect 1');
    await pass(1999);
    expect(stage.server.lines).toHaveLength(1);
    await pass(301);
    expect((await stage.server.line()).asked).toMatchObject({ kind: 'watch', after: 0 });
  });

  it('stays finished when a listener disconnects at a reconnect event', async () => {
    const { handle } = stage.ask({
      transport,
      handlers: { onEvent: (event) => event.type === 'reconnect' && handle.disconnect() },
    });
    await (await stage.server.line()).send(started(), chunk(0, 'a'), goodbye(100));
    await pass(60_000);
    expect([handle.status, handle.nextTryAt]).toEqual(['ready', undefined]);
    expect(stage.server.lines).toHaveLength(1);
  });

  it('ignores the events of another stream', async () => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), chunk(0, 'a'));
    if (transport === 'websocket') await line.send(chunk(1, 'X', { stream_id: OTHER_STREAM }));
    await line.send(chunk(1, 'b'), completed(2));
    expect((await handle.done).text).toBe('ab');
  });

  it('continues after the server has rejected its cursor', async () => {
    const { handle } = stage.ask({ transport });
    const line = await stage.server.line();
    await line.send(started(), ...chunks(0, 'a', 'b', 'c'));
    await line.cut();
    await pass(300);
    await (await stage.server.line()).refuse(400, 'invalid_cursor');
    await pass(600);
    const last = await stage.server.line();
    expect(last.asked).toMatchObject({ kind: 'watch', after: -1 });
    expect(handle.state.text).toBe('abc');
    await last.send(started(), chunk(0, 'z'), completed(1));
    expect((await handle.done).text).toBe('z');
  });
});
