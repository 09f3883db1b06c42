import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { drawingLoop } from './drawingLoop';

interface Job {
  source: string;
  finish(): void;
  fail(): void;
}

/** A renderer that draws when the test says so. */
function byHand() {
  const jobs: Job[] = [];
  const drawn: string[] = [];
  const failed: string[] = [];
  const loop = drawingLoop<string>({
    draw: (source) =>
      new Promise((resolve, reject) => {
        jobs.push({ source, finish: () => resolve(`picture of ${source}`), fail: () => reject(new Error(source)) });
      }),
    onDrawn: (drawing) => drawn.push(drawing),
    onFailed: (_, source) => failed.push(source),
  });
  return { loop, jobs, drawn, failed };
}

const begun = (jobs: readonly Job[]) => jobs.map((job) => job.source);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('drawing what grows', () => {
  it('starts at once', () => {
    const { loop, jobs } = byHand();
    loop.request('a');
    expect(begun(jobs)).toEqual(['a']);
  });

  it('draws one at a time, and only the newest of the sources requested meanwhile', async () => {
    const { loop, jobs, drawn } = byHand();
    for (const source of ['a', 'b', 'c', 'd']) loop.request(source);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(begun(jobs)).toEqual(['a']);
    jobs[0]?.finish();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(begun(jobs)).toEqual(['a', 'd']);
    jobs[1]?.finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(drawn).toEqual(['picture of a', 'picture of d']);
  });

  it('rests for 100 ms after a cheap drawing', async () => {
    const { loop, jobs } = byHand();
    loop.request('a');
    await vi.advanceTimersByTimeAsync(5);
    jobs[0]?.finish();
    await vi.advanceTimersByTimeAsync(0);
    loop.request('b');
    await vi.advanceTimersByTimeAsync(99);
    expect(begun(jobs)).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun(jobs)).toEqual(['a', 'b']);
  });

  it('rests for four times the cost of an expensive one', async () => {
    const { loop, jobs } = byHand();
    loop.request('a');
    await vi.advanceTimersByTimeAsync(200);
    jobs[0]?.finish();
    loop.request('b');
    await vi.advanceTimersByTimeAsync(799);
    expect(begun(jobs)).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun(jobs)).toEqual(['a', 'b']);
  });

  it('does not rest before the last: a complete diagram is shown at once', async () => {
    const { loop, jobs } = byHand();
    loop.request('a');
    await vi.advanceTimersByTimeAsync(500);
    jobs[0]?.finish();
    await vi.advanceTimersByTimeAsync(1);
    loop.request('b');
    expect(begun(jobs)).toEqual(['a']);
    loop.request('b', true);
    expect(begun(jobs)).toEqual(['a', 'b']);
    loop.request('c', true);
    await vi.advanceTimersByTimeAsync(500);
    expect(begun(jobs)).toEqual(['a', 'b']);
    jobs[1]?.finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun(jobs)).toEqual(['a', 'b', 'c']);
  });

  it('does not draw the same source again', async () => {
    const { loop, jobs } = byHand();
    loop.request('a');
    loop.request('a');
    jobs[0]?.finish();
    await vi.advanceTimersByTimeAsync(1_000);
    loop.request('a');
    expect(begun(jobs)).toEqual(['a']);
  });

  it('continues after a failure, and may then draw the same source', async () => {
    const { loop, jobs, drawn, failed } = byHand();
    loop.request('a');
    jobs[0]?.fail();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(failed).toEqual(['a']);
    loop.request('a');
    jobs[1]?.finish();
    await vi.advanceTimersByTimeAsync(1_000);
    loop.request('b');
    expect(begun(jobs)).toEqual(['a', 'a', 'b']);
    expect(drawn).toEqual(['picture of a']);
  });

  it('shows nothing from before a clear, whether drawn or failed', async () => {
    const { loop, jobs, drawn, failed } = byHand();
    loop.request('a');
    loop.clear();
    loop.request('b');
    expect(begun(jobs)).toEqual(['a']);
    jobs[0]?.finish();
    await vi.advanceTimersByTimeAsync(1_000);
    loop.clear();
    jobs[1]?.fail();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(begun(jobs)).toEqual(['a', 'b']);
    expect(drawn).toEqual([]);
    expect(failed).toEqual([]);
  });
});
