// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { chunk, chunks, completed, started, STREAM } from '../testing/scriptedEvents';
import { pass, settle } from '../testing/scriptedLines';
import { setStage } from '../testing/stage';

const stage = setStage();

describe('a socket', () => {
  it('leaves a stream after a disconnect, and stays open for a while', async () => {
    const { handle } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    const { socket } = line;
    await line.send(started(), chunk(0, 'a'));
    handle.disconnect();
    expect(socket.frames.map(({ type }) => type)).toEqual(['start', 'leave']);
    expect(socket.frames[1]).toEqual({ type: 'leave', stream_id: STREAM });
    expect(socket.readyState).toBe(1);
  });

  it('leaves a stream whose id arrives after the disconnect', async () => {
    const { handle, client } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    stage.keep(client.start({ blockType: 'quiz', prompt: 'The sea' }));
    await settle();
    handle.disconnect();
    expect(line.isLetGo).toBe(false);
    await line.send(started());
    expect(line.isLetGo).toBe(true);
  });

  it('does not leave a stream that another line on it watches', async () => {
    const { handle, client } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    const other = stage.keep(client.watch({ streamId: STREAM }));
    const watching = await stage.server.socketLine();
    await line.send(started());
    await watching.send(started());
    handle.disconnect();
    expect(line.socket.frames.map(({ type }) => type)).toEqual(['start', 'resume']);
    await watching.send(chunk(0, 'a'), completed(1));
    expect((await other.done).text).toBe('a');
  });

  it('serves several streams, and closes ten seconds after the last', async () => {
    const { client, handle } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    const other = stage.keep(client.watch({ streamId: 'b'.repeat(22) }));
    expect((await stage.server.socketLine()).socket).toBe(line.socket);
    await line.send(started(), completed(0));
    await pass(20_000);
    expect([handle.status, line.socket.readyState]).toEqual(['ready', 1]);
    other.disconnect();
    await pass(9999);
    expect(line.socket.readyState).toBe(1);
    await pass(10);
    expect(line.socket.readyState).toBe(3);
  });
});

describe('a socket that resumes a stream', () => {
  it('ignores its events between the resume and the start, which belong to an earlier position', async () => {
    const { handle } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    await line.send(started(), chunk(0, 'a'), chunk(2, 'c'));
    await pass(300);
    const next = await stage.server.socketLine();
    expect(next.socket).toBe(line.socket);
    await next.socket.say(chunk(1, 'WRONG'), chunk(3, 'd'));
    expect(handle.state.text).toBe('a');
    await next.send(started({ after: 0 }), ...chunks(1, 'b', 'c'), completed(3));
    expect((await handle.done).text).toBe('abc');
  });

  it('ignores a start that answers another line', async () => {
    const { handle, log } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    await line.socket.say(started({ ref: 'other' }), started(), chunk(0, 'x'));
    await settle();
    expect([handle.streamId, log]).toEqual([undefined, []]);
  });
});

describe('a socket that was given up', () => {
  it('is ignored, even if it still delivers something', async () => {
    const { handle } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    await line.send(started(), chunk(0, 'a'));
    await pass(40_300);
    const next = await stage.server.socketLine();
    await next.send(started({ after: 0 }));
    await line.socket.say(chunk(1, 'STALE'));
    await next.send(chunk(1, 'b'), completed(2));
    expect((await handle.done).text).toBe('ab');
  });
});

describe('close codes of a socket', () => {
  it('1012: the server restarts, and the stream is resumed on a new socket', async () => {
    stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    await line.send(started(), chunk(0, 'a'));
    await line.socket.shut(1012);
    await pass(300);
    const next = await stage.server.socketLine();
    expect(next.socket).not.toBe(line.socket);
    expect(next.asked).toEqual({ kind: 'watch', streamId: STREAM, after: 0 });
  });

  it('4401: the user signed in, and the stream continues on a new socket', async () => {
    const { handle } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    await line.send(started(), chunk(0, 'a'));
    await line.socket.shut(4401);
    await pass(300);
    const next = await stage.server.socketLine();
    expect(next.asked).toEqual({ kind: 'watch', streamId: STREAM, after: 0 });
    await next.send(started({ after: 0 }), chunk(1, 'b'), completed(2));
    expect((await handle.done).text).toBe('ab');
  });

  it('4401 at the handshake: nobody is signed in, and it is not tried again', async () => {
    const { handle } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    await line.socket.shut(4401);
    expect(handle.problem).toMatchObject({ code: 'not_authenticated', isRetryable: false });
    await pass(60_000);
    expect(stage.server.lines).toHaveLength(1);
  });

  it('4401: the user signed out, and is told so when the stream is no longer there', async () => {
    const { handle } = stage.ask({ transport: 'websocket' });
    const line = await stage.server.socketLine();
    await line.send(started(), chunk(0, 'a'));
    await line.socket.shut(4401);
    await pass(300);
    const next = await stage.server.socketLine();
    await next.refuse(404, 'not_found');
    expect(handle.problem).toMatchObject({ code: 'not_authenticated', isRetryable: false });
    await pass(60_000);
    expect(stage.server.lines).toHaveLength(2);
    expect((await handle.done).text).toBe('a');
  });
});

describe('a socket over the limit', () => {
  it('waits, gives the reason, and switches to the other transport', async () => {
    const { handle } = stage.ask({ transport: 'websocket' });
    for (let i = 0; i < 2; i += 1) {
      const line = await stage.server.socketLine();
      await line.socket.shut(4429);
      expect(handle.lineProblem).toMatchObject({ code: 'rate_limited' });
      await pass(9000);
      expect(stage.server.sockets).toHaveLength(i + 1);
      await pass(3000);
    }
    expect((await stage.server.sseLine()).asked).toMatchObject({ kind: 'start' });
  });
});

describe('a prompt that is too long for a frame', () => {
  it('is sent over SSE', async () => {
    const prompt = 'å'.repeat(40_000);
    const { handle } = stage.ask({ transport: 'websocket', request: { prompt } });
    const line = await stage.server.sseLine();
    expect(line.asked).toMatchObject({ prompt, requestId: handle.requestId });
    expect(stage.server.sockets).toHaveLength(0);
  });
});
