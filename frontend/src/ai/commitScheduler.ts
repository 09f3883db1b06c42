/** Decides when to render: often enough to look smooth, and no more often. */

export interface Clock {
  now(): number;
  /** Calls back before the next frame is drawn. Never fires while the page is hidden. */
  frame(callback: () => void): () => void;
  timeout(callback: () => void, ms: number): () => void;
  isHidden(): boolean;
}

export const browserClock: Clock = {
  now: () => performance.now(),
  frame: (callback) => {
    const id = requestAnimationFrame(callback);
    return () => cancelAnimationFrame(id);
  },
  timeout: (callback, ms) => {
    const id = setTimeout(callback, ms);
    return () => clearTimeout(id);
  },
  isHidden: () => document.visibilityState === 'hidden',
};

/**
 * Batches changes into commits.
 * The gap between two commits is at least a frame, `throttleMs`, and twice the cost of the last
 * commit. Rendering therefore takes at most a third of the time. A hidden page gets no frames, so a
 * timer is used there.
 */
export class CommitScheduler {
  readonly #commit: () => void;
  readonly #throttleMs: number;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  #lastCostMs = 0;

  /** @param commit - renders synchronously or in a microtask */
  constructor(commit: () => void, throttleMs: number, clock: Clock = browserClock) {
    this.#commit = commit;
    this.#throttleMs = throttleMs;
    this.#clock = clock;
  }

  /** Schedules a commit; call it whenever there is something new to render. */
  request(): void {
    if (this.#cancel) return;
    const wait =
      this.#lastAt + Math.max(this.#throttleMs, 2 * this.#lastCostMs) - this.#clock.now();
    this.#cancel = wait > 0 ? this.#clock.timeout(() => this.#atFrame(), wait) : this.#frame();
  }

  /** Commits at once, so that no terminal status is shown above incomplete text. */
  flush(): void {
    this.cancel();
    const begun = this.#clock.now();
    this.#lastAt = begun;
    this.#commit();
    queueMicrotask(() => {
      this.#lastCostMs = this.#clock.now() - begun;
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #atFrame(): void {
    this.#cancel = this.#frame();
  }

  #frame(): () => void {
    if (this.#clock.isHidden()) return this.#clock.timeout(() => this.flush(), 0);
    const frame = this.#clock.frame(() => this.flush());
    // A page that becomes hidden now gets no frame; the timer covers that case.
    const timer = this.#clock.timeout(() => this.flush(), 250);
    return () => {
      frame();
      timer();
    };
  }
}
