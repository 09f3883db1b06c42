/** One caller's hold on a run, which others may hold too. */
import type { StreamEvent } from './events';
import type { StreamRun } from './run';
import { dispatch } from './run';
import type { StreamState } from './state';
import type {
  StreamHandle,
  StreamHandlers,
  StreamMetrics,
  StreamProblem,
  StreamStatus,
  TransportName,
} from './types';

const holders = new WeakMap<StreamRun, number>();

export class RunHandle implements StreamHandle {
  readonly done: Promise<StreamState>;
  readonly #run: StreamRun;
  readonly #beginning: readonly StreamEvent[];
  readonly #readers = new Set<Reader>();
  readonly #let: () => void;
  #isLetGo = false;
  #settle: (state: StreamState) => void = () => undefined;

  constructor(run: StreamRun, handlers: StreamHandlers, beginning: readonly StreamEvent[]) {
    this.#run = run;
    this.#beginning = beginning;
    holders.set(run, (holders.get(run) ?? 0) + 1);
    const listener: StreamHandlers = {
      ...handlers,
      onEvent: (event) => {
        handlers.onEvent?.(event);
        for (const reader of this.#readers) reader.push(event);
      },
    };
    this.#let = run.listen(listener);
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    void run.done.then((state) => this.#end(state));
    // Not in the caller's own step: it has no handle yet.
    if (beginning.length > 0) {
      queueMicrotask(() => {
        if (!this.#isLetGo) for (const event of beginning) dispatch(event, [handlers]);
      });
    }
  }

  get streamId(): string | undefined {
    return this.#run.streamId;
  }
  get requestId(): string | undefined {
    return this.#run.request?.requestId;
  }
  get status(): StreamStatus {
    return this.#isLetGo && !this.#run.isOver ? 'ready' : this.#run.status;
  }
  get state(): StreamState {
    return this.#run.state;
  }
  get lastSeq(): number {
    return this.#run.state.lastSeq;
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
  get isCancelledUnseen(): boolean {
    return this.#run.isCancelledUnseen;
  }
  get metrics(): StreamMetrics {
    return this.#run.meter.read();
  }

  cancel(): Promise<void> {
    return this.#run.cancel();
  }

  disconnect(): void {
    if (this.#isLetGo || this.#run.isOver) return;
    this.#isLetGo = true;
    this.#let();
    const left = (holders.get(this.#run) ?? 1) - 1;
    holders.set(this.#run, left);
    if (left === 0) this.#run.close();
    else this.#end(this.#run.state);
  }

  reconnectNow(): void {
    this.#run.reconnectNow();
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent> {
    const reader = new Reader([...this.#beginning], () => this.#readers.delete(reader));
    if (this.#isLetGo || this.#run.isOver) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  #end(state: StreamState): void {
    this.#settle(state);
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}

/** Hands events out one by one, in their order, to whoever asks for the next. */
class Reader implements AsyncIterator<StreamEvent> {
  readonly #ready: StreamEvent[];
  readonly #onReturn: () => void;
  #waiting: ((result: IteratorResult<StreamEvent>) => void) | undefined;
  #isOver = false;

  constructor(ready: StreamEvent[], onReturn: () => void) {
    this.#ready = ready;
    this.#onReturn = onReturn;
  }

  push(event: StreamEvent): void {
    const waiting = this.#waiting;
    if (!waiting) return void this.#ready.push(event);
    this.#waiting = undefined;
    waiting({ done: false, value: event });
  }

  end(): void {
    this.#isOver = true;
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<StreamEvent>> {
    const value = this.#ready.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<StreamEvent>> {
    this.#onReturn();
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }
}
