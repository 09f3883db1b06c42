/** One caller's handle on a run that it may share with others. */
import { dispatch, safely } from './dispatch';
import type { StreamEvent } from './core/events';
import type { StreamMetrics } from './core/metrics';
import type { StreamRun } from './run';
import type { StreamState } from './core/state';
import type {
  StreamHandle,
  StreamHandlers,
  StreamProblem,
  StreamStatus,
  TransportName,
} from './types';

const holders = new WeakMap<StreamRun, number>();

export class RunHandle implements StreamHandle {
  readonly done: Promise<StreamState>;
  readonly #run: StreamRun;
  readonly #readers = new Set<Reader>();
  #unsubscribe: () => void = () => undefined;
  /** The state at the time of `disconnect`; the run may continue for other handles. */
  #finalState: StreamState | undefined;
  #settle: (state: StreamState) => void = () => undefined;

  constructor(run: StreamRun, handlers: StreamHandlers) {
    this.#run = run;
    holders.set(run, (holders.get(run) ?? 0) + 1);
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    void run.done.then((state) => this.#end(state));
    if (run.state.streamId === undefined) this.#unsubscribe = run.listen(handlers);
    // Not synchronously: the caller does not have its handle yet.
    else queueMicrotask(() => this.#join(handlers));
  }

  #join(handlers: StreamHandlers): void {
    if (this.#finalState) return;
    const { isOver, problem, state } = this.#run;
    for (const event of beginningOf(this.#run)) dispatch(event, [handlers]);
    if (isOver && problem && !state.terminal) safely(() => handlers.onError?.(problem));
    // A callback above may have disconnected.
    if (!this.#finalState) this.#unsubscribe = this.#run.listen(handlers);
  }

  get streamId(): string | undefined {
    return this.#run.streamId;
  }
  get requestId(): string | undefined {
    return this.#run.request?.requestId;
  }
  get status(): StreamStatus {
    return this.#finalState ? 'ready' : this.#run.status;
  }
  get state(): StreamState {
    return this.#finalState ?? this.#run.state;
  }
  get lastSeq(): number {
    return this.state.lastSeq;
  }
  get transport(): TransportName | undefined {
    return this.#run.transport;
  }
  get isFallback(): boolean {
    return this.#run.isFallback;
  }
  get problem(): StreamProblem | undefined {
    return this.#run.problem;
  }
  get nextTryAt(): number | undefined {
    return this.#run.nextTryAt;
  }
  get retryAt(): number | null {
    return this.#run.retryAt;
  }
  get isCancelledUnseen(): boolean {
    return this.#run.isCancelledUnseen;
  }
  get lineProblem(): StreamProblem | undefined {
    return this.#run.lineProblem;
  }
  get isStopping(): boolean {
    return this.#run.isStopping;
  }
  get stopProblem(): StreamProblem | undefined {
    return this.#run.stopProblem;
  }
  get metrics(): StreamMetrics {
    return this.#run.meter.read();
  }

  cancel(): Promise<void> {
    return this.#run.cancel();
  }

  disconnect(): void {
    if (this.#finalState || this.#run.isOver) return;
    this.#finalState = this.#run.state;
    this.#unsubscribe();
    const remaining = (holders.get(this.#run) ?? 1) - 1;
    holders.set(this.#run, remaining);
    if (remaining === 0) this.#run.close();
    else this.#end(this.#finalState);
  }

  reconnectNow(): void {
    this.#run.reconnectNow();
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent> {
    const ready = this.#finalState ? [] : beginningOf(this.#run);
    const reader = new Reader(ready, () => this.#readers.delete(reader));
    if (this.#finalState || this.#run.isOver) {
      reader.end();
      return reader;
    }
    this.#readers.add(reader);
    reader.stop = this.#run.listen({ onEvent: (event) => reader.push(event) });
    return reader;
  }

  #end(state: StreamState): void {
    this.#settle(state);
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}

/**
 * Sums up the past for a late subscriber: a `start`, a `snapshot`, and the terminal event if there
 * is one.
 */
function beginningOf(run: StreamRun): StreamEvent[] {
  const { state } = run;
  if (state.streamId === undefined) return [];
  const { streamId, lastSeq, text, items, arriving, status, terminal } = state;
  return [
    {
      type: 'start',
      stream_id: streamId,
      block_type: state.blockType ?? '',
      model: state.model ?? '',
      ...(state.sample === undefined ? {} : { sample: state.sample }),
      status,
      after: -1,
      created_at: state.createdAt ?? '',
      request_id: run.request?.requestId ?? null,
      continues: state.continues ?? null,
    },
    {
      type: 'snapshot',
      stream_id: streamId,
      seq: terminal ? terminal.seq - 1 : lastSeq,
      status,
      text,
      items: [...items],
      arriving,
    },
    ...(terminal ? [terminal] : []),
  ];
}

/** Delivers events one by one, in order, to whoever calls `next`. */
class Reader implements AsyncIterator<StreamEvent> {
  readonly #ready: StreamEvent[];
  readonly #onReturn: () => void;
  readonly #waiting: ((result: IteratorResult<StreamEvent>) => void)[] = [];
  /** Ends the subscription. */
  stop: () => void = () => undefined;
  #isOver = false;

  constructor(ready: StreamEvent[], onReturn: () => void) {
    this.#ready = ready;
    this.#onReturn = onReturn;
  }

  push(event: StreamEvent): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting({ done: false, value: event });
    else this.#ready.push(event);
  }

  end(): void {
    this.#isOver = true;
    this.stop();
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<StreamEvent>> {
    const value = this.#ready.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  return(): Promise<IteratorResult<StreamEvent>> {
    this.#ready.length = 0;
    this.#onReturn();
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }
}
