/**
 * Whether the server answers. It is asked only after a sign of trouble, and again while it does not
 * answer and the page is visible.
 */
import type { Connection } from '../blocks';

const FIRST_MS = 2_000;
const AT_MOST_MS = 15_000;
/** A network may swallow a request for minutes. */
const PATIENCE_MS = 8_000;

export class ConnectionWatch {
  readonly #isAlive: () => Promise<boolean>;
  readonly #listeners = new Set<() => void>();
  #state: Connection = 'up';
  #failures = 0;
  #isAsking = false;
  #isInDoubt = false;
  /** Whether it has been reached without a network: it is on this computer. The page came from it, too. */
  #isNear = isOffline();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(isAlive: () => Promise<boolean>) {
    this.#isAlive = isAlive;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): Connection => this.#state;

  /** Call it after anything that makes the state doubtful, such as a failed request. */
  readonly check = (): void => {
    this.#isInDoubt = true;
    if (!this.#isAsking) void this.#ask();
  };

  /** Follows what the browser knows. Returns a function that stops that. */
  listen(): () => void {
    const onVisible = () => {
      if (this.#state !== 'up' && isVisible()) this.check();
    };
    window.addEventListener('offline', this.check);
    window.addEventListener('online', this.check);
    window.addEventListener('pageshow', onVisible);
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      clearTimeout(this.#timer);
      window.removeEventListener('offline', this.check);
      window.removeEventListener('online', this.check);
      window.removeEventListener('pageshow', onVisible);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isAsking = true;
    let isAlive = false;
    while (this.#isInDoubt) {
      this.#isInDoubt = false;
      // One request answers all doubts that arise before it is sent, so they must not overlap.
      const wasOffline = isOffline();
      // oxlint-disable-next-line no-await-in-loop
      isAlive = await inTime(this.#isAlive());
      this.#isNear ||= isAlive && wasOffline;
    }
    this.#isAsking = false;
    this.#failures = isAlive ? 0 : this.#failures + 1;
    if (!isAlive) this.#askLater();
    this.#set(isAlive ? 'up' : isOffline() && !this.#isNear ? 'offline' : 'down');
  }

  #askLater(): void {
    const waitMs = Math.min(AT_MOST_MS, FIRST_MS * 2 ** (this.#failures - 1));
    // With jitter: the pages of many people must not come back all at once.
    this.#timer = setTimeout(() => isVisible() && this.check(), waitMs * (0.75 + Math.random() / 4));
  }

  #set(state: Connection): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A computer without a network still reaches a server of its own, so this alone proves nothing. */
function isOffline(): boolean {
  return navigator.onLine === false;
}

function isVisible(): boolean {
  return document.visibilityState === 'visible';
}

function inTime(answer: Promise<boolean>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE_MS);
    void answer.then((isAlive) => {
      clearTimeout(timer);
      resolve(isAlive);
    });
  });
}
