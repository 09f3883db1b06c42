// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { SEATS } from '../core/seating';
import { cancelled, chunk, completed, started, thinking } from '../testing/scriptedEvents';
import { pass } from '../testing/scriptedLines';
import type { SseLine } from '../testing/scriptedLines';
import { QUESTION, setStage } from '../testing/stage';
import type { StreamClientOptions, StreamHandle } from '../types';

const stage = setStage();

function start(count: number, options: StreamClientOptions = {}): StreamHandle[] {
  const client = stage.client({ transport: 'sse', ...options });
  return Array.from({ length: count }, () => stage.keep(client.start(QUESTION)));
}

/** The server answers the next line with `start`, one token, and an event that is not logged. */
async function answer(stream_id: string): Promise<SseLine> {
  const line = await stage.server.sseLine();
  await line.send(started({ stream_id }), chunk(0, 'a', { stream_id }), { ...thinking(0), stream_id });
  return line;
}

/** Five streams after a turn: four are open, among them the newest; one stood up for it. */
async function fiveStreams() {
  const handles = start(5);
  const lines = new Map<string, SseLine>();
  for (const id of ['s1', 's2', 's3', 's4']) lines.set(id, await answer(id));
  await pass(1_010);
  const newest = await answer('s5');
  const [waiting = ''] = [...lines].filter(([, line]) => line.isLetGo).map(([id]) => id);
  const handle = handles.find(({ streamId }) => streamId === waiting);
  if (!handle) throw new Error('no line stood up');
  return { handles, newest, waiting, handle };
}

describe('lines that share a browser', () => {
  it('open no more than their seats; the others wait', async () => {
    const handles = start(6);
    for (let n = 0; n < SEATS; n++) await answer(`s${n}`);
    await expect(stage.server.line()).rejects.toThrow('no further line');
    expect(handles.filter(({ status }) => status === 'streaming')).toHaveLength(SEATS);
    expect(handles.filter(({ status }) => status === 'submitted')).toHaveLength(2);
  });

  it('leave after a turn, and go on from their cursor in the next', async () => {
    const { newest, waiting: stream_id, handle } = await fiveStreams();
    expect(handle.status).toBe('streaming');
    await newest.send(completed(1, { stream_id: 's5' }));
    const line = await stage.server.sseLine();
    expect(line.asked).toEqual({ kind: 'watch', streamId: stream_id, after: 0 });
    await line.send(started({ stream_id, after: 0 }), chunk(1, 'b', { stream_id }), completed(2, { stream_id }));
    expect(handle.state.text).toBe('ab');
    expect(handle.metrics.reconnects).toBe(0);
  });

  it('stay until something has arrived', async () => {
    start(5);
    const lines: SseLine[] = [];
    for (let n = 0; n < SEATS; n++) lines.push(await stage.server.sseLine());
    await pass(5_000);
    expect(lines.filter(({ isLetGo }) => isLetGo)).toHaveLength(0);
  });

  it('are not taken for dead while they wait: their time begins when they ask', async () => {
    const handles = start(5, { fallback: false });
    const lines: SseLine[] = [];
    for (let n = 0; n < SEATS; n++) lines.push(await stage.server.sseLine());
    await lines[0]?.alive(); // so that it may be silent for 40 s; the others for 10 s
    const isSubmitted = ({ status }: StreamHandle) => status === 'submitted';
    await pass(9_900);
    expect(handles.filter(isSubmitted)).toHaveLength(5);
    await pass(200); // now the fifth asks
    expect(handles.filter(isSubmitted)).toHaveLength(2);
    await pass(9_700);
    expect(handles.filter(isSubmitted)).toHaveLength(2);
    await pass(200);
    expect(handles.filter(isSubmitted)).toHaveLength(1);
  });

  it('may wait for longer than a line may be silent', async () => {
    const handles = start(5, { fallback: false });
    for (let n = 0; n < SEATS; n++) await (await stage.server.sseLine()).alive();
    await pass(30_000);
    expect(handles.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'submitted'));
  });

  it('fetch the end of a cancelled stream at once, whoever’s turn it is', async () => {
    const { waiting: stream_id, handle } = await fiveStreams();
    stage.server.answers[`POST /api/streams/${stream_id}/cancel`] = () => Response.json({ status: 'cancelled' });
    await handle.cancel();
    const line = await stage.server.sseLine();
    expect(line.asked).toEqual({ kind: 'watch', streamId: stream_id, after: 0 });
    await line.send(started({ stream_id, after: 0 }), { ...cancelled(1), stream_id });
    expect(handle.state.status).toBe('cancelled');
  });

  it('ask at once if they are cancelled before their turn, and end', async () => {
    const handles = start(5);
    for (let n = 0; n < SEATS; n++) await answer(`s${n}`);
    stage.server.answers['POST /api/streams/cancel'] = () => Response.json({ stream_id: null, status: 'cancelled' });
    const waiting = handles.find(({ streamId }) => streamId === undefined);
    await waiting?.cancel();
    const line = await stage.server.sseLine();
    await line.send(started({ stream_id: 's5' }), { ...cancelled(0), stream_id: 's5' });
    expect(waiting?.state.status).toBe('cancelled');
  });

  it('stay to the end in a browser without cookies, which could not come back', async () => {
    start(5, { environment: { ...stage.server.environment, cookies: () => '' } });
    const lines: SseLine[] = [];
    for (let n = 0; n < SEATS; n++) lines.push(await answer(`s${n}`));
    await pass(5_000);
    expect(lines.filter(({ isLetGo }) => isLetGo)).toHaveLength(0);
    await lines[0]?.send(completed(1, { stream_id: 's0' }));
    expect((await stage.server.sseLine()).asked.kind).toBe('start');
  });

  it('take turns without cookies if a token says who they are', async () => {
    start(5, { token: 'secret', environment: { ...stage.server.environment, cookies: () => '' } });
    const lines: SseLine[] = [];
    for (let n = 0; n < SEATS; n++) lines.push(await answer(`s${n}`));
    await pass(1_010);
    await answer('s5');
    expect(lines.filter(({ isLetGo }) => isLetGo)).toHaveLength(1);
  });

  it('need no seats over HTTP/2', async () => {
    start(6, { environment: { ...stage.server.environment, isMultiplexed: () => true } });
    for (let n = 0; n < 6; n++) expect((await stage.server.sseLine()).asked.kind).toBe('start');
  });
});
