/** Measures how fast an answer arrives, as seen by this client. */
import type { CompleteEvent, StreamEvent } from './events';

/** Below this time a rate is meaningless: the answer came whole, or was too short to measure. */
const STEADY_MS = 500;

export interface StreamMetrics {
  /** Milliseconds from the request (or from attaching) to the first text or part. */
  firstTokenMs: number | undefined;
  /**
   * Over the whole answer once it is complete; over the answer so far until then. Undefined for an
   * answer that was written in less than half a second or came whole.
   */
  tokensPerSecond: number | undefined;
  /** Lost connections that were resumed. */
  reconnects: number;
}

export class Meter {
  readonly #now: () => number;
  readonly #askedAt: number;
  #firstAt: number | undefined;
  #lastAt: number | undefined;
  #tokens = 0;
  #complete: CompleteEvent | undefined;
  reconnects = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#askedAt = now();
  }

  take(event: StreamEvent): void {
    if (event.type === 'complete') this.#complete = event;
    // The text held so far is void and will be sent again.
    if (event.type === 'start' && event.after === -1) this.#tokens = 0;
    if (event.type !== 'chunk' && event.type !== 'item') return;
    this.#lastAt = this.#now();
    this.#firstAt ??= this.#lastAt;
    // A merged chunk counts for every sequence number it covers.
    this.#tokens += event.type === 'chunk' ? event.seq - (event.first_seq ?? event.seq) + 1 : 0;
  }

  read(): StreamMetrics {
    return {
      firstTokenMs: this.#firstAt === undefined ? undefined : this.#firstAt - this.#askedAt,
      tokensPerSecond: this.#rate(),
      reconnects: this.reconnects,
    };
  }

  #rate(): number | undefined {
    if (this.#complete) return rateOf(this.#complete);
    if (this.#firstAt === undefined || this.#lastAt === undefined) return undefined;
    const ms = this.#lastAt - this.#firstAt;
    return ms < STEADY_MS ? undefined : (this.#tokens / ms) * 1000;
  }
}

function rateOf({ usage, ttft_ms, duration_ms }: CompleteEvent): number | undefined {
  const ms = duration_ms - (ttft_ms ?? 0);
  return ms >= STEADY_MS && usage.output_tokens > 1 ? (usage.output_tokens / ms) * 1000 : undefined;
}
