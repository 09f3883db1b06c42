/** Follows one stream over any number of connections until its terminal event. */
import type { Api } from './api';
import { backoffMs } from './core/backoff';
import { dispatch, problemOfEnd, safely } from './dispatch';
import type { ReconnectEvent, StreamEvent } from './core/events';
import { isTerminal } from './core/events';
import { Meter } from './core/metrics';
import type { StreamState } from './core/state';
import { EMPTY, reduce } from './core/state';
import type { Patience } from './patience';
import { isSpent, isTooOld, lostProblem } from './patience';
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

const FIRST_EVENT_MS = 10_000; // the server sends the first event at once; if it is late, something buffers it
const WAKE_SILENCE_MS = 16_000; // the server is never silent for longer than 15 s
const GOOD_LINE_MS = 10_000;
const TRIES_BEFORE_FALLBACK = 2;

/** What a run needs from its client. */
export interface RunContext extends Patience {
  env: Environment;
  api: Api;
  transports: Record<TransportName, Transport>;
  silenceMs: number;
  /** The preferred transport, and whether the other one may replace it. */
  choose(): Promise<{ transport: TransportName; fallback: boolean }>;
}

export type RunGoal = { request: StreamRequest & { requestId: string } } | { streamId: string; held?: StreamState };

export class StreamRun {
  readonly #context: RunContext;
  readonly #listeners = new Set<StreamHandlers>();
  readonly #settle: (state: StreamState) => void;
  readonly #askedAt: number;
  readonly #stopWaking: () => void;
  readonly meter: Meter;
  readonly request: (StreamRequest & { requestId: string }) | undefined;
  readonly done: Promise<StreamState>;

  state: StreamState = EMPTY;
  status: StreamStatus = 'submitted';
  transport: TransportName | undefined;
  problem: StreamProblem | undefined;
  /** While `reconnecting`: when the next attempt is due. */
  nextTryAt: number | undefined;
  /** After a refusal: when the server allows another try, if it said so. */
  retryAt: number | null = null;
  isOver = false;
  /** Cancelled before the server knew the request, so there is no stream. */
  isCancelledUnseen = false;

  #streamId: string | undefined;
  #line: Line | undefined;
  #preferred: TransportName | undefined;
  #mayFallBack = false;
  #attempts = 0; // consecutive, without an event
  #unopened = 0; // those of them, on this transport, whose connection was not accepted
  #switches = 0; // consecutive ones that the server asked for
  #retryTimer: number | undefined;
  #silenceTimer: number | undefined;
  #lastReceivedAt = 0;
  #openedAt = 0;
  #hasReceived = false; // refers to the current line, or to the last one
  #lastProblem: StreamProblem | undefined;
  readonly #stopping: Stopping;

  constructor(context: RunContext, goal: RunGoal) {
    this.#context = context;
    this.request = 'request' in goal ? goal.request : undefined;
    this.#streamId = 'streamId' in goal ? goal.streamId : undefined;
    if ('streamId' in goal && goal.held) this.state = goal.held;
    this.#askedAt = context.env.now();
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
      onAccepted: () => this.#endIsNear(),
      onUnknown: () => this.#neverStarted(),
      onUnreached: () => this.#dropUnsent(),
      onChange: () => this.#notify((each) => each.onStopping?.(this.isStopping, this.stopProblem)),
    });
    this.#stopWaking = context.env.onWake(() => this.#wake());
    void this.#begin();
  }

  get streamId(): string | undefined {
    return this.#streamId;
  }

  /** Whether a caller that joins now will still see the stream end. */
  get isJoinable(): boolean {
    return !this.isOver && !this.problem && !this.state.terminal;
  }

  /** While `reconnecting`: the server's reason for not answering, if it gave one. */
  get lineProblem(): StreamProblem | undefined {
    return this.status === 'reconnecting' ? this.#lastProblem : undefined;
  }

  get isFallback(): boolean {
    return this.transport !== undefined && this.transport !== this.#preferred;
  }

  /** Subscribes to everything that happens from now on. Returns a function that unsubscribes. */
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

  /** Stops the generation itself. Failed requests are retried; see `stopProblem`. */
  async cancel(): Promise<void> {
    if (!this.isOver) await this.#stopping.ask();
  }

  /** Stops following; the generation continues. */
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
    this.#preferred = this.transport = transport;
    this.#mayFallBack = fallback;
    this.#open();
  }

  #open(): void {
    const { transports } = this.#context;
    this.nextTryAt = undefined;
    if (this.#isUnsent && isTooOld(this.#context.env.now() - this.#askedAt)) return this.#giveUp();
    this.#connects();
    this.#line = transports[this.transport ?? 'sse'].open(this.#goal(), {
      onEvent: (event) => this.#apply(event),
      onAlive: () => this.#alive(),
      onTurn: (isOurs) => this.#turn(isOurs),
      onEnd: (end) => {
        this.#line = undefined;
        this.#ended(end);
      },
    });
    void this.#stopping.onLine();
  }

  #connects(): void {
    this.#openedAt = this.#lastReceivedAt = this.#context.env.now();
    this.#hasReceived = false;
    this.#watchSilence(FIRST_EVENT_MS, false);
  }

  #turn(isOurs: boolean): void {
    if (isOurs) this.#connects();
    else this.#clearTimers(); // a line that waits for its turn is silent
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
        this.#lastProblem = end.problem ?? this.#endedSession;
        return this.#retry(end.wasOpen, end.waitMs);
      case 'elsewhere':
        if (++this.#switches > 2) return this.#fail(end.problem);
        this.#preferred = this.transport = end.transport;
        this.#mayFallBack = false; // the other transport has just been refused
        return this.#open();
      case 'nothing':
        // The server says that we hold everything, yet we hold no terminal event. Our state must
        // belong to an earlier incarnation of the stream.
        this.state = { ...this.state, lastSeq: -1 };
        return this.#retry(true);
      case 'refused':
        if (end.problem.code === 'invalid_cursor' && this.state.lastSeq >= 0) {
          this.state = { ...this.state, lastSeq: -1 };
          return this.#retry(true);
        }
        return this.#fail(end.problem.code === 'not_found' ? (this.#endedSession ?? end.problem) : end.problem);
    }
  }

  /** A session's end, which explains later failures; undefined once the stream has continued. */
  get #endedSession(): StreamProblem | undefined {
    return this.lineProblem?.code === 'not_authenticated' ? this.lineProblem : undefined;
  }

  #retry(wasOpen: boolean, waitMs?: number, event?: ReconnectEvent): void {
    const { env } = this.#context;
    // A line that lasted this long was healthy, even if the model produced nothing meanwhile.
    if (this.#hasReceived && env.now() - this.#openedAt > GOOD_LINE_MS) this.#attempts = 0;
    const attempt = this.#attempts++;
    if (isSpent(attempt, this.#isUnsent, this.#context, this.#lastProblem)) return this.#giveUp();
    this.#unopened = wasOpen ? 0 : this.#unopened + 1;
    if (this.#unopened >= TRIES_BEFORE_FALLBACK && this.#mayFallBack) {
      this.#unopened = 0;
      this.transport = this.transport === 'sse' ? 'websocket' : 'sse';
    }
    const delayMs = backoffMs(attempt, env.random(), waitMs);
    this.nextTryAt = env.now() + delayMs;
    this.#setStatus('reconnecting');
    this.#notify((each) => each.onReconnect?.({ attempt: attempt + 1, delayMs, event }));
    if (this.isOver || this.#line) return;
    this.#retryTimer = env.setTimeout(() => {
      this.#retryTimer = undefined;
      this.#open();
    }, delayMs);
  }

  /** Whether no event has come yet. The server may still have received the question. */
  get #isUnsent(): boolean {
    return this.#streamId === undefined;
  }

  #giveUp(): void {
    this.#fail(this.#lastProblem ?? lostProblem(this.#isUnsent, this.#context));
  }

  /** Resumes from `lastSeq` on a new line. */
  #resume(): void {
    this.#line?.close();
    this.#line = undefined;
    this.#clearTimers();
    this.#retry(true);
  }

  // --- signs of life ------------------------------------------------------------

  #alive(): void {
    this.#lastReceivedAt = this.#context.env.now();
    this.#hasReceived = true;
    this.#watchSilence(this.#context.silenceMs, true);
  }

  #watchSilence(ms: number, wasOpen: boolean): void {
    const { env } = this.#context;
    if (this.#silenceTimer !== undefined) env.clearTimeout(this.#silenceTimer);
    this.#silenceTimer = env.setTimeout(() => this.#dropSilent(wasOpen), ms);
  }

  #dropSilent(wasOpen: boolean): void {
    const line = this.#line;
    this.#line = undefined;
    this.#clearTimers();
    line?.close(true);
    this.#retry(wasOpen);
  }

  /**
   * The network or the page is back. Timers may have been suspended, and the line may be dead
   * without notice.
   */
  #wake(): void {
    if (this.isOver) return;
    const isListening = this.#silenceTimer !== undefined;
    if (isListening && this.#context.env.now() - this.#lastReceivedAt > WAKE_SILENCE_MS) this.#dropSilent(true);
    if (this.#line === undefined) this.reconnectNow();
  }

  #clearTimers(): void {
    const { env } = this.#context;
    if (this.#retryTimer !== undefined) env.clearTimeout(this.#retryTimer);
    if (this.#silenceTimer !== undefined) env.clearTimeout(this.#silenceTimer);
    this.#retryTimer = this.#silenceTimer = undefined;
  }

  // --- events ------------------------------------------------------------------

  #apply(event: StreamEvent): void {
    this.#alive();
    if (event.type === 'reconnect') {
      this.#line?.close();
      this.#line = undefined;
      this.#clearTimers();
      this.#notify((each) => each.onEvent?.(event));
      if (!this.isOver) this.#retry(true, event.retry_ms, event);
      return;
    }
    const [state, outcome] = reduce(this.state, event);
    if (outcome === 'gap') return this.#resume();
    if (outcome === 'ignored') return;
    if (this.status === 'reconnecting') this.meter.reconnects += 1;
    this.state = state;
    this.#streamId = state.streamId;
    this.#unopened = this.#switches = 0;
    // A `start` is not progress: otherwise a server that accepts and drops us would be retried
    // without a pause.
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
    if (problem.retryAfterMs !== undefined) this.retryAt = this.#context.env.now() + problem.retryAfterMs;
    this.#notify((each) => each.onError?.(problem));
    this.#finish('error');
  }

  #finish(status: StreamStatus, keepsStopping = false): void {
    this.isOver = true;
    this.nextTryAt = undefined;
    this.#clearTimers();
    this.#line?.close();
    this.#line = undefined;
    if (!keepsStopping) this.#stopping.close();
    this.#stopWaking();
    this.#setStatus(status);
    this.#settle(this.state);
  }

  #endIsNear(): void {
    if (this.isOver) return;
    this.#line?.hurry?.();
    this.reconnectNow();
  }

  /** The server has never seen the request, and must not see it now: do not send it again. */
  #neverStarted(): void {
    if (this.isOver) return;
    if (this.#line) return this.#line.hurry?.();
    this.isCancelledUnseen = true;
    this.#finish('ready');
  }

  /**
   * The server can't be asked whether it has the question. It is not sent again. The stop goes on
   * trying, because an earlier attempt may have arrived although its response was lost.
   */
  #dropUnsent(): void {
    if (this.isOver || !this.#isUnsent || this.#line) return;
    this.isCancelledUnseen = true;
    this.#finish('ready', true);
  }

  #setStatus(status: StreamStatus): void {
    if (this.status === status) return;
    this.status = status;
    this.#notify((each) => each.onStatusChange?.(status));
  }

  #notify(what: (listener: StreamHandlers) => void): void {
    for (const listener of [...this.#listeners]) safely(() => what(listener));
  }
}

const nothing = () => undefined;

function hasContent(state: StreamState): boolean {
  return state.text !== '' || state.items.length > 0 || Object.keys(state.arriving).length > 0;
}
