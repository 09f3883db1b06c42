/** One stream as this client follows it: over any number of lines, to its one end. */
import type { Api } from './api';
import { backoffMs } from './core/backoff';
import { dispatch, problemOfEnd, safely } from './dispatch';
import type { ReconnectEvent, StreamEvent } from './core/events';
import { isTerminal } from './core/events';
import { Meter } from './core/metrics';
import type { StreamState } from './core/state';
import { EMPTY, reduce } from './core/state';
import { Stopping } from './stopping';
import type { Goal, Line, LineEnd, Transport } from './transports/base';
import type {
  Environment,
  StreamHandlers,
  StreamProblem,
  StreamRequest,
  StreamStatus,
  TransportName,
} from './types';

const FIRST_EVENT_MS = 10_000; // the first one is sent at once: later, something holds it back
const WAKE_SILENCE_MS = 16_000; // the server is never silent for longer than 15 s
const GOOD_LINE_MS = 10_000;
const TRIES_BEFORE_FALLBACK = 2;

/** What a run needs of its client. */
export interface RunContext {
  env: Environment;
  api: Api;
  transports: Record<TransportName, Transport>;
  maxAttempts: number;
  silenceMs: number;
  /** The transport that is meant, and whether the other may stand in for it. */
  choose(): Promise<{ transport: TransportName; fallback: boolean }>;
}

export type RunGoal = { request: StreamRequest & { requestId: string } } | { streamId: string; held?: StreamState };

export class StreamRun {
  readonly #context: RunContext;
  readonly #listeners = new Set<StreamHandlers>();
  readonly #settle: (state: StreamState) => void;
  readonly #stopWaking: () => void;
  readonly meter: Meter;
  readonly request: (StreamRequest & { requestId: string }) | undefined;
  readonly done: Promise<StreamState>;

  state: StreamState = EMPTY;
  status: StreamStatus = 'submitted';
  transport: TransportName | undefined;
  problem: StreamProblem | undefined;
  /** While `reconnecting`: when the next try is due. */
  nextTryAt: number | undefined;
  isOver = false;
  /** It was stopped before the server knew of it: there is no stream. */
  isCancelledUnseen = false;

  #streamId: string | undefined;
  #line: Line | undefined;
  #meant: TransportName | undefined;
  #mayFallBack = false;
  #attempts = 0; // in a row, without an event
  #unopened = 0; // of those, in a row on this transport, without being let in
  #switches = 0; // that the server asked for, in a row
  #retryTimer: number | undefined;
  #silenceTimer: number | undefined;
  #heardAt = 0;
  #openedAt = 0;
  #isHeard = false; // on the line that is or was open last
  #lastProblem: StreamProblem | undefined;
  readonly #stopping: Stopping;

  constructor(context: RunContext, goal: RunGoal) {
    this.#context = context;
    this.request = 'request' in goal ? goal.request : undefined;
    this.#streamId = 'streamId' in goal ? goal.streamId : undefined;
    if ('streamId' in goal && goal.held) this.state = goal.held;
    this.meter = new Meter(context.env.now);
    let settle: (state: StreamState) => void = nothing;
    this.done = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = settle;
    this.#stopping = new Stopping({
      env: context.env,
      api: context.api,
      streamId: () => this.#streamId,
      requestId: this.request?.requestId,
      onHeard: () => this.#endIsNear(),
      onUnknown: () => this.#neverStarted(),
      onChange: () => this.#tell((each) => each.onStopping?.(this.isStopping, this.stopProblem)),
    });
    this.#stopWaking = context.env.onWake(() => this.#wake());
    void this.#begin();
  }

  get streamId(): string | undefined {
    return this.#streamId;
  }

  /** Whether a caller that comes now can still see its end come. */
  get isJoinable(): boolean {
    return !this.isOver && !this.problem && !this.state.terminal;
  }

  /** While `reconnecting`: what the server said in the place of the answer, if it said anything. */
  get lineProblem(): StreamProblem | undefined {
    return this.status === 'reconnecting' ? this.#lastProblem : undefined;
  }

  get isFallback(): boolean {
    return this.transport !== undefined && this.transport !== this.#meant;
  }

  /** Hear what happens from now on. */
  listen(listener: StreamHandlers): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get isStopping(): boolean {
    return this.#stopping.isAsked && !this.isOver;
  }

  get stopProblem(): StreamProblem | undefined {
    return this.#stopping.problem;
  }

  /** Stop the generation itself. What fails on the way is asked again; see `stopProblem`. */
  async cancel(): Promise<void> {
    if (!this.isOver) await this.#stopping.ask();
  }

  /** Stop following. */
  close(): void {
    if (this.isOver) return;
    this.#finish('ready');
  }

  reconnectNow(): void {
    if (this.status !== 'reconnecting' || this.#retryTimer === undefined) return;
    this.#clearTimers();
    this.#open();
  }

  // --- lines ------------------------------------------------------------------

  async #begin(): Promise<void> {
    const { transport, fallback } = await this.#context.choose();
    if (this.isOver) return;
    this.#meant = this.transport = transport;
    this.#mayFallBack = fallback;
    this.#open();
  }

  #open(): void {
    const { env, transports } = this.#context;
    this.nextTryAt = undefined;
    this.#openedAt = this.#heardAt = env.now();
    this.#isHeard = false;
    this.#watchSilence(FIRST_EVENT_MS, false);
    this.#line = transports[this.transport ?? 'sse'].open(this.#goal(), {
      onEvent: (event) => this.#take(event),
      onAlive: () => this.#alive(),
      onEnd: (end) => {
        this.#line = undefined;
        this.#ended(end);
      },
    });
    void this.#stopping.onLine();
  }

  #goal(): Goal {
    if (this.#streamId !== undefined) {
      return { kind: 'watch', streamId: this.#streamId, after: this.state.lastSeq };
    }
    if (!this.request) throw new Error('a run has a stream or a request');
    return { kind: 'start', request: this.request };
  }

  #ended(end: LineEnd): void {
    this.#clearTimers();
    switch (end.kind) {
      case 'lost':
        this.#lastProblem = end.problem ?? (this.#streamId === undefined ? this.#lastProblem : undefined);
        return this.#retry(end.wasOpen, end.waitMs);
      case 'elsewhere':
        if (++this.#switches > 2) return this.#fail(end.problem);
        this.#meant = this.transport = end.transport;
        this.#mayFallBack = false; // the other one has just said no
        return this.#open();
      case 'nothing':
        // All is held, says the server, and no end is: what is held is of another life of it.
        this.state = { ...this.state, lastSeq: -1 };
        return this.#retry(true);
      case 'refused':
        if (end.problem.code === 'invalid_cursor' && this.state.lastSeq >= 0) {
          this.state = { ...this.state, lastSeq: -1 };
          return this.#retry(true);
        }
        return this.#fail(end.problem);
    }
  }

  #retry(wasOpen: boolean, waitMs?: number, event?: ReconnectEvent): void {
    const { env, maxAttempts } = this.#context;
    // A line that held for a while was a good one, also if the model said nothing meanwhile.
    if (this.#isHeard && env.now() - this.#openedAt > GOOD_LINE_MS) this.#attempts = 0;
    const attempt = this.#attempts++;
    if (attempt >= maxAttempts) return this.#fail(this.#lastProblem ?? CONNECTION_LOST);
    this.#unopened = wasOpen ? 0 : this.#unopened + 1;
    if (this.#unopened >= TRIES_BEFORE_FALLBACK && this.#mayFallBack) {
      this.#unopened = 0;
      this.transport = this.transport === 'sse' ? 'websocket' : 'sse';
    }
    const delayMs = backoffMs(attempt, env.random(), waitMs);
    this.nextTryAt = env.now() + delayMs;
    this.#setStatus('reconnecting');
    this.#tell((each) => each.onReconnect?.({ attempt: attempt + 1, delayMs, event }));
    if (this.isOver || this.#line) return;
    this.#retryTimer = env.setTimeout(() => {
      this.#retryTimer = undefined;
      this.#open();
    }, delayMs);
  }

  /** Take the stream up again from what is held, on a line of its own. */
  #lineUp(): void {
    this.#line?.close();
    this.#line = undefined;
    this.#clearTimers();
    this.#retry(true);
  }

  // --- signs of life -------------------------------------------------------------

  #alive(): void {
    this.#heardAt = this.#context.env.now();
    this.#isHeard = true;
    this.#watchSilence(this.#context.silenceMs, true);
  }

  #watchSilence(ms: number, wasOpen: boolean): void {
    const { env } = this.#context;
    if (this.#silenceTimer !== undefined) env.clearTimeout(this.#silenceTimer);
    this.#silenceTimer = env.setTimeout(() => this.#silent(wasOpen), ms);
  }

  #silent(wasOpen: boolean): void {
    const line = this.#line;
    this.#line = undefined;
    this.#clearTimers();
    line?.close(true);
    this.#retry(wasOpen);
  }

  /** The network or the page is back: timers may have slept, and a line may be dead unnoticed. */
  #wake(): void {
    if (this.isOver) return;
    if (this.#line && this.#context.env.now() - this.#heardAt > WAKE_SILENCE_MS) this.#silent(true);
    if (this.#line === undefined) this.reconnectNow();
  }

  #clearTimers(): void {
    const { env } = this.#context;
    if (this.#retryTimer !== undefined) env.clearTimeout(this.#retryTimer);
    if (this.#silenceTimer !== undefined) env.clearTimeout(this.#silenceTimer);
    this.#retryTimer = this.#silenceTimer = undefined;
  }

  // --- events ------------------------------------------------------------------

  #take(event: StreamEvent): void {
    this.#alive();
    if (event.type === 'reconnect') {
      this.#line?.close();
      this.#line = undefined;
      this.#clearTimers();
      this.#tell((each) => each.onEvent?.(event));
      if (!this.isOver) this.#retry(true, event.retry_ms, event);
      return;
    }
    const [state, outcome] = reduce(this.state, event);
    if (outcome === 'gap') return this.#lineUp();
    if (outcome === 'ignored') return;
    if (this.status === 'reconnecting') this.meter.reconnects += 1;
    this.state = state;
    this.#streamId = state.streamId;
    this.#unopened = this.#switches = 0;
    // A `start` is no progress: a server that lets in and drops would be asked without a pause.
    if (event.type !== 'start') this.#attempts = 0;
    this.#lastProblem = undefined;
    this.meter.take(event);
    if (!isTerminal(event)) this.#setStatus(hasContent(state) ? 'streaming' : 'submitted');
    dispatch(event, this.#listeners);
    if (isTerminal(event) && !this.isOver) this.#end(event);
  }

  #end(event: StreamEvent): void {
    if (event.type !== 'error') return this.#finish('ready');
    this.problem = problemOfEnd(event);
    this.#finish('error');
  }

  #fail(problem: StreamProblem): void {
    this.problem = problem;
    this.#tell((each) => each.onError?.(problem));
    this.#finish('error');
  }

  #finish(status: StreamStatus): void {
    this.isOver = true;
    this.nextTryAt = undefined;
    this.#clearTimers();
    this.#line?.close();
    this.#line = undefined;
    this.#stopping.close();
    this.#stopWaking();
    this.#setStatus(status);
    this.#settle(this.state);
  }

  #endIsNear(): void {
    if (!this.isOver) this.reconnectNow();
  }

  /** The server has never heard of the request, and will not: the start is not sent again. */
  #neverStarted(): void {
    if (this.isOver || this.#line !== undefined) return;
    this.isCancelledUnseen = true;
    this.#finish('ready');
  }

  #setStatus(status: StreamStatus): void {
    if (this.status === status) return;
    this.status = status;
    this.#tell((each) => each.onStatusChange?.(status));
  }

  #tell(what: (listener: StreamHandlers) => void): void {
    for (const listener of [...this.#listeners]) safely(() => what(listener));
  }
}

const CONNECTION_LOST: StreamProblem = {
  code: 'connection_lost',
  message: 'The server can’t be reached. The answer may still be being written there.',
  isRetryable: true,
};

const nothing = () => undefined;

function hasContent(state: StreamState): boolean {
  return state.text !== '' || state.items.length > 0 || Object.keys(state.arriving).length > 0;
}
