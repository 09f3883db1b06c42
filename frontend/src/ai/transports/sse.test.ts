// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { chunk, completed, started } from '../testing/scriptedEvents';
import { pass } from '../testing/scriptedLines';
import { setStage } from '../testing/stage';

const stage = setStage();

describe('an SSE body', () => {
  it('that ends without a terminal event is a lost connection', async () => {
    const { handle } = stage.ask();
    const line = await stage.server.sseLine();
    await line.send(started(), chunk(0, 'a'));
    await line.end();
    expect(handle.status).toBe('reconnecting');
    await pass(300);
    expect((await stage.server.line()).asked).toMatchObject({ kind: 'watch', after: 0 });
  });

  it('may arrive in any pieces, even cut within a character', async () => {
    const { handle } = stage.ask();
    const line = await stage.server.sseLine();
    await line.send(started());
    const event = JSON.stringify(chunk(0, 'blå 🌊'));
    const bytes = new TextEncoder().encode(`event: chunk\ndata: ${event}\n\n`);
    for (const byte of bytes) await line.raw(Uint8Array.of(byte));
    await line.send(completed(1));
    expect((await handle.done).text).toBe('blå 🌊');
  });

  it('replaced by 204 although no end was received is requested from the beginning', async () => {
    const { handle } = stage.ask();
    const line = await stage.server.sseLine();
    await line.send(started(), chunk(0, 'a'));
    await line.cut();
    await pass(300);
    await (await stage.server.sseLine()).reply(new Response(null, { status: 204 }));
    await pass(600);
    const last = await stage.server.line();
    expect(last.asked).toMatchObject({ kind: 'watch', after: -1 });
    await last.send(started(), chunk(0, 'a'), completed(1));
    expect((await handle.done).text).toBe('a');
  });

  it('may contain future event types, which are skipped', async () => {
    const { handle } = stage.ask();
    const line = await stage.server.sseLine();
    await line.send(started(), chunk(0, 'a'));
    await line.raw('event: news\ndata: {"type":"news"}\n\n');
    await line.send(completed(1));
    expect((await handle.done).text).toBe('a');
  });
});
