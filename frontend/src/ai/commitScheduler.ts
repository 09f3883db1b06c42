/** When to draw: as often as it stays smooth, and never more often. */

export interface Clock {
  now(): number;
  /** Before the next frame is drawn; never while the page is hidden. */
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
 * Gathers changes into commits: at least a frame, `throttleMs`, and twice the cost of the last
 * commit apart, so that drawing never takes more than a third of the time. In a hidden page, where
 * there are no frames, by timer.
 */
export class CommitScheduler {
  readonly #commit: () => void;
  readonly #throttleMs: number;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  #lastCostMs = 0;

  /** @param commit - draws synchronously, or in a microtask */
  constructor(commit: () => void, throttleMs: number, clock: Clock = browserClock) {
    this.#commit = commit;
    this.#throttleMs = throttleMs;
    this.#clock = clock;
  }

  /** There is something to draw. */
  request(): void {
    if (this.#cancel) return;
    const wait =
      this.#lastAt + Math.max(this.#throttleMs, 2 * this.#lastCostMs) - this.#clock.now();
    this.#cancel = wait > 0 ? this.#clock.timeout(() => this.#atFrame(), wait) : this.#frame();
  }

  /** Draw at once: the end of a stream is not shown over text that is not. */
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
    // A page that is hidden just now gets no frame: the timer is for that.
    const timer = this.#clock.timeout(() => this.flush(), 250);
    return () => {
      frame();
      timer();
    };
  }
}
