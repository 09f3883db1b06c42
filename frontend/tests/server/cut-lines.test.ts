// @vitest-environment node
/**
 * The client against a real server whose connections are cut: in the end, both must hold the same.
 * `LIVEAI_URL` is the server; its blocks answer from a script.
 */
import { expect, it } from 'vitest';

import { StreamClient } from '../../src/ai';
import type { StreamHandle, TransportName } from '../../src/ai';
import type { CutPlan } from './cuttingProxy';
import { CuttingProxy } from './cuttingProxy';
import { seeded, Visitor } from './visitor';

const SERVER = new URL(process.env['LIVEAI_URL'] ?? 'http://127.0.0.1:8000');
const RUNS = Number(process.env['LIVEAI_RUNS'] ?? '60');
const AT_ONCE = 25;
const MIN_CUTS = 3;
const BLOCKS = ['ask-question', 'explain-eli10', 'quiz', 'diagram'];

interface Played {
  seed: number;
  blockType: string;
  meant: TransportName;
  used: TransportName | undefined;
  cuts: number;
  isStopped: boolean;
  end: string;
}

async function play(seed: number): Promise<Played> {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const blockType = pick(BLOCKS);
  const meant: TransportName = seed % 2 === 0 ? 'sse' : 'websocket';
  const plan: CutPlan = {
    // From within the first frame to far into the answer, which is about 20 KB long.
    cutsAfterBytes: Array.from({ length: MIN_CUTS + Math.floor(random() * 3) }, () =>
      Math.floor(60 + random() * 1200),
    ),
    ...(random() < 0.4
      ? { block: { kind: meant, afterCuts: Math.floor(random() * 3), times: 2 } }
      : {}),
  };
  const proxy = await CuttingProxy.listen(Number(SERVER.port), plan);
  const visitor = new Visitor();
  try {
    const environment = { ...visitor.environment(), random };
    const client = new StreamClient({ baseUrl: proxy.url, transport: meant, environment });
    await client.api.config(); // the session's cookie, which a socket here cannot store
    const handle = client.start({ blockType, prompt: `Run ${seed}` });
    const isStopped = random() < 0.1;
    if (isStopped) await stopAfterCuts(handle, proxy);
    await handle.done;
    await expectTheServersWord(handle, visitor, seed);
    return {
      seed,
      blockType,
      meant,
      used: handle.transport,
      cuts: proxy.cuts,
      isStopped,
      end: handle.state.status,
    };
  } finally {
    await proxy.close();
  }
}

async function stopAfterCuts(handle: StreamHandle, proxy: CuttingProxy): Promise<void> {
  for await (const event of handle) {
    if (event.type === 'chunk' && proxy.cuts >= MIN_CUTS) break;
  }
  await handle.cancel();
}

async function expectTheServersWord(
  handle: StreamHandle,
  visitor: Visitor,
  seed: number,
): Promise<void> {
  const client = new StreamClient({
    baseUrl: SERVER.origin,
    environment: visitor.environment(),
  });
  const { state, problem } = handle;
  expect(problem, `run ${seed}`).toBeUndefined();
  const server = await client.api.stream(state.streamId ?? '');
  const { terminal } = state;
  const held = {
    status: state.status,
    seq: state.lastSeq,
    items: state.items,
    arriving: state.arriving,
    result: terminal?.type === 'complete' ? (terminal.result ?? null) : null,
    // A structured answer has no text in its events.
    text: state.items.length > 0 || server.result ? server.text : state.text,
  };
  const { status, seq, items, arriving, result, text } = server;
  expect(held, `run ${seed}`).toEqual({ status, seq, items, arriving, result, text });
}

it(
  `${RUNS} answers over cut lines end as the server's do`,
  async () => {
    const played: Played[] = [];
    let next = 0;
    const worker = async () => {
      while (next < RUNS) played.push(await play(++next));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));

    expect(played).toHaveLength(RUNS);
    const cutTooLittle = played.filter((run) => run.cuts < MIN_CUTS && !run.isStopped);
    expect(cutTooLittle).toEqual([]);
    const switched = played.filter((run) => run.used !== run.meant).length;
    const stopped = played.filter((run) => run.end === 'cancelled').length;
    const cuts = played.reduce((sum, run) => sum + run.cuts, 0);
    console.log(`${RUNS} runs, ${cuts} cuts, ${switched} on the other transport, ${stopped} stopped`);
    const stayed = (['sse', 'websocket'] as const).map((meant) =>
      played.some((run) => run.meant === meant && run.used === meant),
    );
    // With few runs, chance may leave out a kind.
    const isEnough = RUNS < 50 || (switched > 0 && stopped > 0 && stayed.every(Boolean));
    expect(isEnough, 'every kind of run was played').toBe(true);
  },
  15 * 60_000,
);
