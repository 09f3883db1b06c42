// @vitest-environment node
import { describe, expect, it } from 'vitest';

import type { Clock } from './commitScheduler';
import { CommitScheduler } from './commitScheduler';

/**
 * A clock that the test controls. It draws a frame every 16 ms, and none while the page is hidden.
 */
class ManualClock implements Clock {
  ms = 0;
  hidden = false;
  #tasks: { at: number; kind: 'frame' | 'timer'; run: () => void }[] = [];

  now = () => this.ms;
  isHidden = () => this.hidden;
  frame = (callback: () => void) => this.#add('frame', (Math.floor(this.ms / 16) + 1) * 16, callback);
  timeout = (callback: () => void, wait: number) => this.#add('timer', this.ms + wait, callback);

  get pending(): number {
    return this.#tasks.length;
  }

  /** Advances the clock one millisecond at a time. */
  async pass(ms: number, each: () => void = () => undefined): Promise<void> {
    for (const until = this.ms + ms; this.ms < until;) {
      this.ms += 1;
      each();
      const isDue = (task: { at: number; kind: string }) =>
        task.at <= this.ms && !(this.hidden && task.kind === 'frame');
      const due = this.#tasks.filter(isDue);
      this.#tasks = this.#tasks.filter((task) => !isDue(task));
      for (const task of due) task.run();
      await Promise.resolve();
    }
  }

  #add(kind: 'frame' | 'timer', at: number, run: () => void): () => void {
    const task = { at, kind, run };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((each) => each !== task);
    };
  }
}

function scheduled(throttleMs: number, costMs = 0) {
  const clock = new ManualClock();
  const commits: number[] = [];
  const scheduler = new CommitScheduler(
    () => {
      commits.push(clock.ms);
      clock.ms += costMs;
    },
    throttleMs,
    clock,
  );
  return { clock, commits, scheduler };
}

const gaps = (times: number[]) => times.slice(1).map((time, i) => time - (times[i] ?? 0));

describe('CommitScheduler', () => {
  it('commits the first change with the next frame', async () => {
    const { clock, commits, scheduler } = scheduled(50);
    clock.ms = 1000;
    scheduler.request();
    expect(commits).toEqual([]);
    await clock.pass(16);
    expect(commits).toEqual([1008]);
  });

  it('batches many changes into one commit per throttle', async () => {
    const { clock, commits, scheduler } = scheduled(50);
    await clock.pass(1000, () => scheduler.request());
    expect(commits.length).toBeGreaterThan(13);
    expect(commits.length).toBeLessThanOrEqual(20);
    expect(Math.min(...gaps(commits))).toBeGreaterThanOrEqual(50);
  });

  it('commits at most once per frame without a throttle', async () => {
    const { clock, commits, scheduler } = scheduled(0);
    await clock.pass(320, () => scheduler.request());
    expect(commits.length).toBe(20);
    expect(gaps(commits)).toEqual(Array(19).fill(16));
  });

  it('waits twice as long as the last commit took', async () => {
    const { clock, commits, scheduler } = scheduled(50, 60);
    await clock.pass(2000, () => scheduler.request());
    expect(Math.min(...gaps(commits))).toBeGreaterThanOrEqual(120);
    expect(Math.max(...gaps(commits))).toBeLessThanOrEqual(160);
  });

  it('uses a timer in a hidden page', async () => {
    const { clock, commits, scheduler } = scheduled(50);
    clock.hidden = true;
    await clock.pass(1000, () => scheduler.request());
    expect(commits.length).toBeGreaterThanOrEqual(15);
    expect(Math.min(...gaps(commits))).toBeGreaterThanOrEqual(50);
  });

  it('commits soon in a page that is hidden while waiting for a frame', async () => {
    const { clock, commits, scheduler } = scheduled(50);
    scheduler.request();
    clock.hidden = true;
    await clock.pass(249);
    expect(commits).toEqual([]);
    await clock.pass(1);
    expect(commits).toEqual([250]);
  });

  it('flushes at once, and does not commit the same change again', async () => {
    const { clock, commits, scheduler } = scheduled(50);
    scheduler.request();
    scheduler.flush();
    expect(commits).toEqual([0]);
    await clock.pass(1000);
    expect([commits.length, clock.pending]).toEqual([1, 0]);
  });

  it('starts the throttle again at a flush', async () => {
    const { clock, commits, scheduler } = scheduled(50);
    scheduler.flush();
    await clock.pass(10, () => scheduler.request());
    await clock.pass(100);
    expect(commits).toEqual([0, 64]);
  });

  it('commits nothing after cancel', async () => {
    const { clock, commits, scheduler } = scheduled(50);
    scheduler.request();
    scheduler.cancel();
    await clock.pass(1000);
    expect([commits, clock.pending]).toEqual([[], 0]);
  });
});
