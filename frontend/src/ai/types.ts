/** What the client and its hooks promise. Types alone; the code is in their own files. */
import type {
  CancelledEvent,
  ChunkEvent,
  CompleteEvent,
  ErrorEvent,
  Item,
  ItemEvent,
  ReconnectEvent,
  ResetEvent,
  SnapshotEvent,
  StartEvent,
  StreamEvent,
} from './core/events';
import type { StreamMetrics } from './core/metrics';
import type { StreamState } from './core/state';

export type TransportName = 'sse' | 'websocket';

/** What to ask. */
export interface StreamInput {
  prompt: string;
  /** As the block type's JSON Schema describes them. */
  options?: Record<string, unknown>;
}

export interface StreamRequest extends StreamInput {
  blockType: string;
  /** A UUID: the same one never starts a second stream. Made when it is not given. */
  requestId?: string;
}

/** A request to watch a stream that exists, instead of starting one. */
export interface WatchRequest {
  streamId: string;
  /** What is held of it already, to go on from there; default: from its beginning. */
  held?: StreamState;
}

/**
 * `ready`: nothing runs here. `submitted`: asked, nothing came yet. `streaming`: it comes.
 * `reconnecting`: the line is lost, the answer goes on, and so will this.
 * `error`: it failed, or could not be started or found.
 */
export type StreamStatus = 'ready' | 'submitted' | 'streaming' | 'reconnecting' | 'error';

/** Why something failed, fit for a person, with the contract's stable code. */
export interface StreamProblem {
  code: string;
  message: string;
  isRetryable: boolean;
  /** When asking again makes sense, in milliseconds. */
  retryAfterMs?: number;
  /** The input's field that was wrong, where one is named. */
  field?: string;
}

export type FinishReason = 'stop' | 'length' | 'cancelled' | 'error';

/** How the client reaches the outside world; tests give their own. */
export interface Environment {
  fetch: typeof fetch;
  WebSocket: typeof WebSocket;
  now(): number;
  random(): number;
  setTimeout(callback: () => void, ms: number): number;
  clearTimeout(id: number): void;
  uuid(): string;
  /** Calls back when the network or the page comes back; returns what ends it. */
  onWake(callback: () => void): () => void;
  cookie(name: string): string | undefined;
}

export interface StreamClientOptions {
  /** Where the server is, without a slash at the end; default: this page's origin. */
  baseUrl?: string;
  /** `auto` (default): what the server's `/api/config` names. */
  transport?: TransportName | 'auto';
  /** Whether to go over to the other transport where the first can't connect. Default true. */
  fallback?: boolean;
  /** Tries in a row without an event before a stream is given up. Default 12, some 2 minutes. */
  maxAttempts?: number;
  /** Silence after which a line counts as dead, in ms. Default 40,000: the server pings at 15 s. */
  silenceMs?: number;
  environment?: Partial<Environment>;
}

export interface StreamHandlers {
  /** Each event that was taken in, before its own handler. */
  onEvent?(event: StreamEvent): void;
  onStart?(event: StartEvent): void;
  onChunk?(event: ChunkEvent): void;
  onItem?(event: ItemEvent): void;
  onReset?(event: ResetEvent): void;
  onSnapshot?(event: SnapshotEvent): void;
  onComplete?(event: CompleteEvent): void;
  /** The stream's own end, or a start, watch or line that failed for good. */
  onError?(problem: StreamProblem, event?: ErrorEvent): void;
  onCancelled?(event: CancelledEvent): void;
  onStatusChange?(status: StreamStatus): void;
  /** The line is lost; the next try is in `delayMs`. */
  onReconnect?(info: { attempt: number; delayMs: number; event?: ReconnectEvent }): void;
  /** `cancel` was called; or it was given up, and `problem` says why. */
  onStopping?(isStopping: boolean, problem: StreamProblem | undefined): void;
}

/** One stream as one caller watches it. Iterate it for its events, each exactly once. */
export interface StreamHandle extends AsyncIterable<StreamEvent> {
  readonly streamId: string | undefined;
  readonly requestId: string | undefined;
  readonly status: StreamStatus;
  readonly state: StreamState;
  readonly lastSeq: number;
  readonly transport: TransportName | undefined;
  readonly isFallback: boolean;
  readonly problem: StreamProblem | undefined;
  /** While `reconnecting`: when the next try is due, in ms since the epoch. */
  readonly nextTryAt: number | undefined;
  /** It was stopped before the server knew of it: there is no stream. */
  readonly isCancelledUnseen: boolean;
  readonly metrics: StreamMetrics;
  /** Settles at the end, whatever it is, or at `disconnect`. Never rejects. */
  readonly done: Promise<StreamState>;
  /** While `reconnecting`: why the server had no answer yet ("You have 6 answers running"). */
  readonly lineProblem: StreamProblem | undefined;
  /** `cancel` was called and is neither refused nor done. */
  readonly isStopping: boolean;
  /** Why the last `cancel` was refused or given up. The stream runs on, and may be cancelled again. */
  readonly stopProblem: StreamProblem | undefined;
  /**
   * Stop the generation itself, for everybody. Also before the stream's id is known. Never rejects:
   * a call that fails is repeated for some 45 s, then `stopProblem` says why.
   */
  cancel(): Promise<void>;
  /** Stop watching; the generation goes on. */
  disconnect(): void;
  /** While `reconnecting`: try at once. */
  reconnectNow(): void;
}

/** What a hook needs of a client: `StreamClient` has it, and so may a stand-in. */
export interface StreamSource {
  start(request: StreamRequest, handlers?: StreamHandlers, transport?: TransportName | 'auto'): StreamHandle;
  watch(request: WatchRequest, handlers?: StreamHandlers, transport?: TransportName | 'auto'): StreamHandle;
}

export interface FinishInfo {
  text: string;
  items: readonly Item[];
  result: Record<string, unknown> | undefined;
  finishReason: FinishReason | undefined;
  /** Stopped by somebody. */
  isAbort: boolean;
  /** This caller stopped watching; the answer may go on. */
  isDisconnect: boolean;
  isError: boolean;
  /** Estimated: the model's service did not say all of it. */
  usage: { inputTokens: number; outputTokens: number; isEstimated: boolean } | undefined;
  metrics: StreamMetrics;
}

export interface UseAIStreamingOptions {
  /** Default: one for all hooks of the page. */
  client?: StreamSource;
  transport?: TransportName | 'auto';
  /** Take up the stream that this tab watched before a reload. Needs `id`. Default false. */
  resume?: boolean;
  /** Names the hook, where several on a page resume. */
  id?: string;
  /** At least so many ms between two renders. Default 50. */
  throttle?: number;
  /** What unmounting does to a running stream. Default `disconnect`: it goes on. */
  onUnmount?: 'disconnect' | 'cancel';
  onChunk?(event: ChunkEvent): void;
  onItem?(event: ItemEvent): void;
  onFinish?(info: FinishInfo): void;
  onError?(problem: StreamProblem): void;
  onReconnect?(info: { attempt: number; delayMs: number }): void;
}

export interface AIStream {
  /** The hook's own name. */
  id: string;
  streamId: string | undefined;
  blockType: string | undefined;
  model: string | undefined;
  status: StreamStatus;
  /** Asked, and not at its end. */
  isLoading: boolean;
  /** The answer ended with `complete`. */
  isComplete: boolean;
  text: string;
  items: readonly Item[];
  arriving: Readonly<Record<string, string>>;
  /** What a whole structured answer is. */
  result: Record<string, unknown> | undefined;
  /** Why it failed; while it runs: why it could not be stopped. */
  error: StreamProblem | undefined;
  /** While `reconnecting`: why the server had no answer yet, where it said so. */
  lineProblem: StreamProblem | undefined;
  /** `stop` was called and is neither refused nor done. */
  isStopping: boolean;
  finishReason: FinishReason | undefined;
  transport: TransportName | undefined;
  /** Whether it is on the other transport than the one that was meant. */
  isFallback: boolean;
  /** While `reconnecting`: when the next try is due, in ms since the epoch. */
  nextTryAt: number | undefined;
  metrics: StreamMetrics;
  /** What was asked last; undefined for a stream that was only watched. */
  input: StreamRequest | undefined;
  /** Ask. Resolves at the stream's end; never rejects. A stream that runs here is let go. */
  submit(input: StreamRequest): Promise<void>;
  /** Stop the generation. Never rejects: a refusal is the `error` of a stream that runs on. */
  stop(): Promise<void>;
  /** Ask the same again, as a new stream. */
  regenerate(): Promise<void>;
  /** Watch a stream, or go on with the one that was let go or lost. */
  resume(streamId?: string): Promise<void>;
  /** While `reconnecting`: try at once. */
  reconnectNow(): void;
  /** Stop watching; the generation goes on. */
  disconnect(): void;
  clearError(): void;
  /** As if nothing had been asked. */
  reset(): void;
}

export interface AIBlockStream<Data> extends Omit<AIStream, 'submit'> {
  blockType: string;
  data: Data;
  /** Whether `data` is all there will be. */
  isFinal: boolean;
  submit(input: StreamInput | string): Promise<void>;
}
