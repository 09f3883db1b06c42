/** Cancels one stream. Retries until the server accepts or refuses, or stays unreachable. */
import type { Api } from './api';
import { backoffMs } from './core/backoff';
import { ApiError } from './problem';
import type { Environment, StreamProblem } from './types';

/** Maximum number of attempts when the server answers "later": about 45 s in total. */
const TRIES_AT_MOST = 8;
/** Maximum when the server is unreachable. Connection attempts go on for about as long. */
const UNREACHED_AT_MOST = 20;

export interface Stoppable {
  env: Environment;
  api: Api;
  streamId(): string | undefined;
  requestId: string | undefined;
  /** The server has accepted the cancel; the terminal event will follow. */
  onAccepted(): void;
  /** The server does not know the request yet. */
  onUnknown(): void;
  /** The server could not be reached. The stop is tried again. */
  onUnreached(): void;
  /** `isAsked` or `problem` has changed. */
  onChange(): void;
}

export class Stopping {
  /** A stop was requested and has not been refused; the terminal event is pending. */
  isAsked = false;
  /** Why the last attempt was given up. */
  problem: StreamProblem | undefined;

  readonly #stream: Stoppable;
  #isPending = false;
  #tries = 0;
  #timer: number | undefined;

  constructor(stream: Stoppable) {
    this.#stream = stream;
  }

  /** Resolves when the first attempt has been answered or has failed. Never rejects. */
  async ask(): Promise<void> {
    this.#tries = 0;
    this.#isPending = true;
    this.#set(true, undefined);
    await this.#send();
  }

  /** A new line is open, so a cancel that did not get through may succeed now. */
  async onLine(): Promise<void> {
    if (this.#isPending) await this.#send();
  }

  close(): void {
    this.#isPending = false;
    if (this.#timer !== undefined) this.#stream.env.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #send(): Promise<void> {
    const { api, requestId, streamId } = this.#stream;
    const id = streamId();
    try {
      if (id !== undefined) {
        await api.cancel(id);
        this.#isPending = false;
        this.#stream.onAccepted();
      } else if (requestId !== undefined) {
        // Still pending: the start request may be in flight, and its stream id will be known later.
        const known = await api.cancelRequest(requestId);
        if (known.stream_id === null) this.#stream.onUnknown();
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!this.#isPending) return; // closed in the meantime
    const problem = error instanceof ApiError ? error.problem : UNKNOWN;
    if (this.#timer !== undefined) return; // a new line triggered this attempt, and the scheduled one is still pending
    this.#tries += 1;
    const most = problem.code === 'unreachable' ? UNREACHED_AT_MOST : TRIES_AT_MOST;
    if (problem.isRetryable && this.#tries < most) {
      this.#sendLater(problem.retryAfterMs);
      if (problem.code === 'unreachable') this.#stream.onUnreached();
      return;
    }
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
