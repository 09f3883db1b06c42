/** Stopping one stream: asked again until the server has heard it, refuses it, or stays out of reach. */
import type { Api } from './api';
import { ApiError } from './api';
import { backoffMs } from './core/backoff';
import type { Environment, StreamProblem } from './types';

/** Tries that the server answers with "later": some 45 s in all. */
const TRIES_AT_MOST = 8;
/** Where it is out of reach, the lines to it are tried again too, for as long. */
const UNREACHED_AT_MOST = 20;

export interface Stoppable {
  env: Environment;
  api: Api;
  streamId(): string | undefined;
  requestId: string | undefined;
  /** The server has heard it: the end is on its way. */
  onHeard(): void;
  /** The server does not know of the request yet. */
  onUnknown(): void;
  /** `isAsked` or `problem` has changed. */
  onChange(): void;
}

export class Stopping {
  /** Stop was asked for, and is not refused: the end is awaited. */
  isAsked = false;
  /** Why the last try was given up. */
  problem: StreamProblem | undefined;

  readonly #stream: Stoppable;
  #isUnheard = false;
  #tries = 0;
  #timer: number | undefined;

  constructor(stream: Stoppable) {
    this.#stream = stream;
  }

  /** Resolves when the first try has been answered, or has failed. Never rejects. */
  async ask(): Promise<void> {
    this.#tries = 0;
    this.#isUnheard = true;
    this.#set(true, undefined);
    await this.#send();
  }

  /** A line has been opened: what was not heard yet may be heard now. */
  async onLine(): Promise<void> {
    if (this.#isUnheard) await this.#send();
  }

  close(): void {
    this.#isUnheard = false;
    if (this.#timer !== undefined) this.#stream.env.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #send(): Promise<void> {
    const { api, requestId, streamId } = this.#stream;
    const id = streamId();
    try {
      if (id !== undefined) {
        await api.cancel(id);
        this.#isUnheard = false;
        this.#stream.onHeard();
      } else if (requestId !== undefined) {
        // It stays unheard: the start may still be on its way, and is then known by its id.
        const known = await api.cancelRequest(requestId);
        if (known.stream_id === null) this.#stream.onUnknown();
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!this.#isUnheard) return; // closed meanwhile
    const problem = error instanceof ApiError ? error.problem : UNKNOWN;
    if (this.#timer !== undefined) return; // it was sent with a new line, beside its own next try
    this.#tries += 1;
    const most = problem.code === 'unreachable' ? UNREACHED_AT_MOST : TRIES_AT_MOST;
    if (problem.isRetryable && this.#tries < most) return this.#sendLater(problem.retryAfterMs);
    this.close();
    this.#set(false, problem);
  }

  #sendLater(atLeastMs?: number): void {
    const { env } = this.#stream;
    const delayMs = backoffMs(this.#tries - 1, env.random(), atLeastMs);
    this.#timer = env.setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, delayMs);
  }

  #set(isAsked: boolean, problem: StreamProblem | undefined): void {
    this.isAsked = isAsked;
    this.problem = problem;
    this.#stream.onChange();
  }
}

const UNKNOWN: StreamProblem = {
  code: 'internal',
  message: 'Something went wrong here.',
  isRetryable: false,
};
