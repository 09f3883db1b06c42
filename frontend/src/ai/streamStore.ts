/** The state behind a hook: one stream at a time, in a store that does not depend on React. */
import type { CommitScheduler } from './commitScheduler';
import { remember } from './remembered';
import { completionOf, EMPTY } from './core/state';
import type {
  AIStream,
  FinishReason,
  StreamHandle,
  StreamHandlers,
  StreamRequest,
  StreamSource,
  UseAIStreamingOptions,
} from './types';

/** The data members of `AIStream`. */
export type StreamView = Omit<
  AIStream,
  'submit' | 'stop' | 'regenerate' | 'resume' | 'reconnectNow' | 'disconnect' | 'clearError' | 'reset' | 'id'
>;

export class StreamStore {
  #options: UseAIStreamingOptions;
  readonly #listeners = new Set<() => void>();
  readonly #scheduler: CommitScheduler;
  #handle: StreamHandle | undefined;
  #input: StreamRequest | undefined;
  #isErrorCleared = false;
  #isDisconnected = false;
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #view: StreamView;

  constructor(
    options: UseAIStreamingOptions,
    scheduler: (commit: () => void) => CommitScheduler,
  ) {
    this.#options = options;
    this.#scheduler = scheduler(() => this.#commit());
    this.#view = this.#buildView();
  }

  /** Replaces the options, because callbacks change between renders. */
  setOptions(options: UseAIStreamingOptions): void {
    this.#options = options;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): StreamView => this.#view;

  get streamId(): string | undefined {
    return this.#handle?.streamId;
  }
  get input(): StreamRequest | undefined {
    return this.#input;
  }
  /**
   * The last input with its original request id: the server may have received it without answering.
   */
  get sameRequest(): StreamRequest | undefined {
    return this.#input && { ...this.#input, requestId: this.#handle?.requestId };
  }
  get isLoading(): boolean {
    return this.#view.isLoading;
  }

  /** Starts a stream and resolves when it ends. Disconnects from the previous one. */
  start(request: StreamRequest): Promise<void> {
    this.#input = request;
    return this.#follow((client, handlers) =>
      client.start(request, handlers, this.#options.transport),
    );
  }

  watch(streamId: string): Promise<void> {
    if (streamId !== this.streamId) this.#input = undefined;
    const state = this.#handle?.state;
    // A partial answer is kept and continued; a complete one is requested again.
    const held = state?.streamId === streamId && !state.terminal ? state : undefined;
    return this.#follow((client, handlers) =>
      client.watch({ streamId, held }, handlers, this.#options.transport),
    );
  }

  /**
   * Disconnects soon after unmounting, unless `stay` is called: StrictMode unmounts components on
   * trial.
   */
  leaveSoon(): void {
    this.#leaving = setTimeout(() => {
      if (this.#options.onUnmount === 'cancel' && this.isLoading) void this.stop();
      this.disconnect();
    }, 0);
  }

  stay(): void {
    clearTimeout(this.#leaving);
  }

  async stop(): Promise<void> {
    await this.#handle?.cancel();
  }

  reconnectNow(): void {
    this.#handle?.reconnectNow();
    this.#scheduler.flush();
  }

  disconnect(): void {
    if (!this.#handle || this.#isDisconnected) return;
    const isRunning = this.isLoading;
    this.#isDisconnected = true;
    this.#handle.disconnect();
    this.#scheduler.flush();
    if (isRunning) this.#finish(true);
  }

  clearError(): void {
    this.#isErrorCleared = true;
    this.#scheduler.flush();
  }

  reset(): void {
    this.#handle?.disconnect();
    this.#handle = undefined;
    this.#input = undefined;
    this.#isErrorCleared = this.#isDisconnected = false;
    this.#remember(undefined);
    this.#scheduler.flush();
  }

  async #follow(
    open: (client: StreamSource, handlers: StreamHandlers) => StreamHandle,
  ): Promise<void> {
    const { client } = this.#options;
    if (!client) throw new Error('the hook is not mounted yet');
    const before = this.#handle;
    this.#isErrorCleared = this.#isDisconnected = false;
    let handle: StreamHandle | undefined;
    const isCurrent = () => handle === undefined || this.#handle === handle;
    const ifCurrent =
      <Args extends unknown[]>(call: (...args: Args) => void) =>
      (...args: Args) => {
        if (isCurrent()) call(...args);
      };
    handle = this.#handle = open(client, {
      onEvent: ifCurrent(() => this.#scheduler.request()),
      onStart: ifCurrent((event) => this.#remember(event.stream_id)),
      onChunk: ifCurrent((event) => this.#options.onChunk?.(event)),
      onItem: ifCurrent((event) => this.#options.onItem?.(event)),
      onThinking: ifCurrent((event) => this.#options.onThinking?.(event)),
      onQueue: ifCurrent((event) => this.#options.onQueue?.(event)),
      onError: ifCurrent((problem) => this.#options.onError?.(problem)),
      onReconnect: ifCurrent((info) => {
        this.#scheduler.flush(); // the time of the next attempt and the reason change, the status does not
        this.#options.onReconnect?.(info);
      }),
      onStopping: ifCurrent((_, problem) => {
        this.#isErrorCleared = false;
        this.#scheduler.flush();
        if (problem) this.#options.onError?.(problem);
      }),
      onStatusChange: ifCurrent((status) =>
        // A change of status is rendered at once, together with everything before it.
        status === 'streaming' ? this.#scheduler.request() : this.#scheduler.flush(),
      ),
    });
    before?.disconnect();
    this.#scheduler.flush();
    await handle.done;
    if (this.#handle !== handle || this.#isDisconnected) return;
    this.#scheduler.flush();
    this.#finish(false);
  }

  #finish(isDisconnect: boolean): void {
    const view = this.#view;
    const completion = this.#handle && completionOf(this.#handle.state);
    if (!isDisconnect && !this.#isLost()) this.#remember(undefined);
    this.#options.onFinish?.({
      text: view.text,
      items: view.items,
      result: view.result,
      finishReason: view.finishReason,
      isAbort: view.finishReason === 'cancelled',
      isDisconnect,
      isError: !isDisconnect && this.#handle?.status === 'error',
      usage: completion && {
        inputTokens: completion.usage.input_tokens,
        outputTokens: completion.usage.output_tokens,
        isEstimated: completion.usage.estimated === true,
      },
      metrics: view.metrics,
    });
  }

  /** Whether the connection was given up while the stream may still be running. */
  #isLost(): boolean {
    return !this.#handle?.state.terminal && this.#handle?.problem?.isRetryable === true;
  }

  #remember(streamId: string | undefined): void {
    const { resume, id } = this.#options;
    if (resume && id !== undefined) remember(id, streamId);
  }

  #commit(): void {
    this.#view = this.#buildView();
    for (const listener of [...this.#listeners]) listener();
  }

  #buildView(): StreamView {
    const handle = this.#handle;
    const state = handle?.state ?? EMPTY;
    const status = this.#isDisconnected ? 'ready' : (handle?.status ?? 'ready');
    const isShownError = status === 'error' && !this.#isErrorCleared;
    const isLoading = status === 'submitted' || status === 'streaming' || status === 'reconnecting';
    return {
      streamId: handle?.streamId,
      blockType: state.blockType ?? this.#input?.blockType,
      model: state.model,
      continues: state.continues ?? this.#input?.continues,
      sample: state.streamId === undefined ? this.#input?.sample : state.sample,
      status: status === 'error' && !isShownError ? 'ready' : status,
      isLoading,
      isComplete: state.terminal?.type === 'complete',
      text: state.text,
      items: state.items,
      arriving: state.arriving,
      thinking: state.thinking,
      queuePlace: isLoading ? state.queuePlace : null,
      result: completionOf(state)?.result,
      error: this.#isErrorCleared ? undefined : (handle?.problem ?? (isLoading ? handle?.stopProblem : undefined)),
      lineProblem: isLoading ? handle?.lineProblem : undefined,
      isStopping: isLoading && (handle?.isStopping ?? false),
      finishReason: reasonOf(handle),
      transport: handle?.transport,
      isFallback: handle?.isFallback ?? false,
      nextTryAt: handle?.nextTryAt,
      retryAt: isShownError ? (handle?.retryAt ?? null) : null,
      metrics: handle?.metrics ?? NO_METRICS,
      input: this.#input,
    };
  }
}

const NO_METRICS = { firstTokenMs: undefined, tokensPerSecond: undefined, reconnects: 0 };

function reasonOf(handle: StreamHandle | undefined): FinishReason | undefined {
  if (!handle) return undefined;
  if (handle.isCancelledUnseen) return 'cancelled';
  const { terminal } = handle.state;
  switch (terminal?.type) {
    case 'complete':
      return terminal.finish_reason;
    case 'cancelled':
      return 'cancelled';
    case 'error':
      return 'error';
    default:
      return handle.status === 'error' ? 'error' : undefined;
  }
}
