/** The public interface of the client and its hooks. Types only. */
import type {
  CancelledEvent,
  ChunkEvent,
  CompleteEvent,
  ErrorEvent,
  Item,
  ItemEvent,
  QueueEvent,
  ReconnectEvent,
  ResetEvent,
  SnapshotEvent,
  StartEvent,
  StreamEvent,
  ThinkingEvent,
} from './core/events';
import type { StreamMetrics } from './core/metrics';
import type { StreamState, Thinking } from './core/state';

export type TransportName = 'sse' | 'websocket';

/** What the user asks. */
export interface StreamInput {
  prompt: string;
  /** As described by the block type's JSON Schema. */
  options?: Record<string, unknown>;
  /**
   * The id of an ended stream whose answer is to be continued, with the same prompt and options. The
   * new stream holds only what is added: the rest of a text, or the missing questions of a quiz.
   */
  continues?: string;
  /**
   * The name of a sample answer, from the block's `samples`: it is replayed instead of asking the
   * model. Its `prompt` belongs to it, and it has no options.
   */
  sample?: string;
  /** A UUID; the same one never starts a second stream. Default: a new one. */
  requestId?: string;
}

export interface StreamRequest extends StreamInput {
  blockType: string;
}

/** Watches an existing stream instead of starting one. */
export interface WatchRequest {
  streamId: string;
  /** The state to continue from; default: the stream's beginning. */
  held?: StreamState;
}

/**
 * `ready`: idle. `submitted`: requested, nothing received yet. `streaming`: receiving.
 * `reconnecting`: the connection is lost and will be retried; the answer continues on the server.
 * `error`: the stream failed, or could not be started or found.
 */
export type StreamStatus = 'ready' | 'submitted' | 'streaming' | 'reconnecting' | 'error';

/** Why something failed: a message for the user, and a stable code from the contract. */
export interface StreamProblem {
  code: string;
  message: string;
  isRetryable: boolean;
  /** Milliseconds until another attempt makes sense. */
  retryAfterMs?: number;
  /** The input field that was rejected, if the server named one. */
  field?: string;
}

export type FinishReason = 'stop' | 'length' | 'repetition' | 'cancelled' | 'error';

/** How the client reaches the outside world; tests inject their own. */
export interface Environment {
  fetch: typeof fetch;
  WebSocket: typeof WebSocket;
  now(): number;
  random(): number;
  setTimeout(callback: () => void, ms: number): number;
  clearTimeout(id: number): void;
  uuid(): string;
  /** Calls back when the network or the page is back. Returns a function that unsubscribes. */
  onWake(callback: () => void): () => void;
  /** The cookies that scripts of this page may see, to notice a change. Empty where there is no page. */
  cookies(): string;
  /** Whether somebody can see the page. */
  isVisible(): boolean;
  /** Whether the server is reached over HTTP/2 or later, where one connection carries all requests. */
  isMultiplexed(baseUrl: string): boolean;
  /** Whether an address belongs to another origin than this page. True where there is no page. */
  isForeign(baseUrl: string): boolean;
  /** Whether this is a page or a worker of one, whose browser has a policy on origins and cookies. */
  hasOrigin(): boolean;
  /** Connects the pages of this origin in this browser; undefined where that is impossible. */
  channel(
    name: string,
    onMessage: (message: unknown) => void,
  ): { post(message: unknown): void } | undefined;
}

/** Where the server's calls are, below its `baseUrl`. */
export interface PathOptions {
  /** Default: `/api`. */
  apiPath?: string;
  /** Default: `/ws/stream`. */
  socketPath?: string;
}

/** How requests say who asks. Default: the cookies of the site that served this page. */
export interface AccessOptions {
  /**
   * An API token, or a function that returns one and is called for each request and each socket.
   * Sent as `Authorization: Bearer …`, over WebSocket as a subprotocol, and never in a URL. No CSRF
   * cookie is needed then.
   *
   * After a refused token, a function is called once more with `isRenewal`: a token that it keeps
   * must then be replaced. If it rejects, the request is tried again later.
   */
  token?: string | ((asked: { isRenewal: boolean }) => string | Promise<string>);
  /** The same as a function in `token`, and preferred to it. */
  getToken?(asked: { isRenewal: boolean }): string | Promise<string>;
  /** More headers for each HTTP request. A browser can't add any to a WebSocket. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
  /**
   * Whether HTTP requests carry cookies. Default: `same-origin`; with a token `omit`. Where there is
   * no page, as in Node: `include`, and the client itself keeps the cookies of its server.
   */
  credentials?: RequestCredentials;
}

export interface StreamClientOptions extends AccessOptions, PathOptions {
  /** The server's URL or path without a trailing slash; default: the site that served this page. */
  baseUrl?: string;
  /** `auto` (the default) uses the transport named by the server's `/api/config`. */
  transport?: TransportName | 'auto';
  /** Whether to fall back to the other transport if the first can't connect. Default: true. */
  fallback?: boolean;
  /**
   * Consecutive attempts without an event before giving up. Default: 12, about 2 minutes; while the
   * server has not taken the question 60, and at most 10 minutes. While a server of another origin
   * has never answered: none for a start, which fails as `unreachable`, and at most 4 for others.
   */
  maxAttempts?: number;
  /**
   * Milliseconds of silence after which a connection counts as dead. Default: 40,000; the server
   * pings every 15 s.
   */
  silenceMs?: number;
  /** Default: the global `fetch`. */
  fetch?: typeof fetch;
  /** Default: the global `WebSocket`; where there is none, answers come by SSE. */
  WebSocket?: typeof WebSocket;
  environment?: Partial<Environment>;
}

export interface StreamHandlers {
  /** Called for every event that was applied, before its own handler. */
  onEvent?(event: StreamEvent): void;
  onStart?(event: StartEvent): void;
  onChunk?(event: ChunkEvent): void;
  onItem?(event: ItemEvent): void;
  onReset?(event: ResetEvent): void;
  onSnapshot?(event: SnapshotEvent): void;
  onComplete?(event: CompleteEvent): void;
  /** Called about once a second while the model reasons before it writes. */
  onThinking?(event: ThinkingEvent): void;
  /** Called when a stream that waits for a place on a full server moves in line. */
  onQueue?(event: QueueEvent): void;
  /** Called when the stream fails, or when a start, watch or connection fails for good. */
  onError?(problem: StreamProblem, event?: ErrorEvent): void;
  onCancelled?(event: CancelledEvent): void;
  onStatusChange?(status: StreamStatus): void;
  /** Called when the connection is lost; the next attempt is in `delayMs`. */
  onReconnect?(info: { attempt: number; delayMs: number; event?: ReconnectEvent }): void;
  /** Called after `cancel`, and again if the cancel was given up; `problem` says why. */
  onStopping?(isStopping: boolean, problem: StreamProblem | undefined): void;
}

/** One caller's view of a stream. Iterating over it yields each event exactly once. */
export interface StreamHandle extends AsyncIterable<StreamEvent> {
  readonly streamId: string | undefined;
  readonly requestId: string | undefined;
  readonly status: StreamStatus;
  readonly state: StreamState;
  readonly lastSeq: number;
  readonly transport: TransportName | undefined;
  readonly isFallback: boolean;
  readonly problem: StreamProblem | undefined;
  /** While `reconnecting`: when the next attempt is due, in ms since the epoch. */
  readonly nextTryAt: number | undefined;
  /** After a refusal: when the server allows another try, in ms since the epoch, if it said so. */
  readonly retryAt: number | null;
  /** Cancelled before the server knew the request, so there is no stream. */
  readonly isCancelledUnseen: boolean;
  readonly metrics: StreamMetrics;
  /** Resolves when the stream ends in any way, or at `disconnect`. Never rejects. */
  readonly done: Promise<StreamState>;
  /** While `reconnecting`: the server's reason for not answering ("You have 6 answers running"). */
  readonly lineProblem: StreamProblem | undefined;
  /** `cancel` was called, and has neither succeeded nor been refused. */
  readonly isStopping: boolean;
  /**
   * Why the last `cancel` was refused or given up. The stream continues and can be cancelled again.
   */
  readonly stopProblem: StreamProblem | undefined;
  /**
   * Stops the generation itself, for every viewer. Works before the stream id is known. Never
   * rejects: a failed call is retried for about 45 s, then `stopProblem` gives the reason.
   */
  cancel(): Promise<void>;
  /** Stops watching; the generation continues. */
  disconnect(): void;
  /** While `reconnecting`: tries again at once. */
  reconnectNow(): void;
}

/** The part of a client that a hook needs. `StreamClient` implements it, and so can a fake. */
export interface StreamSource {
  start(request: StreamRequest, handlers?: StreamHandlers, transport?: TransportName | 'auto'): StreamHandle;
  watch(request: WatchRequest, handlers?: StreamHandlers, transport?: TransportName | 'auto'): StreamHandle;
}

export interface FinishInfo {
  text: string;
  items: readonly Item[];
  result: Record<string, unknown> | undefined;
  finishReason: FinishReason | undefined;
  /** Somebody stopped the answer. */
  isAbort: boolean;
  /** This caller stopped watching; the answer may continue. */
  isDisconnect: boolean;
  isError: boolean;
  /** `isEstimated`: the model's service did not report all of these numbers. */
  usage: { inputTokens: number; outputTokens: number; isEstimated: boolean } | undefined;
  metrics: StreamMetrics;
}

export interface UseAIStreamingOptions {
  /** Default: one client for all hooks of the page. */
  client?: StreamSource;
  transport?: TransportName | 'auto';
  /** Resume the stream that this tab followed before a reload. Needs `id`. Default: false. */
  resume?: boolean;
  /** The hook's name, needed if several hooks on a page resume. */
  id?: string;
  /** The minimum time between two renders, in ms. Default: 50. */
  throttle?: number;
  /**
   * What happens to a running stream on unmount. Default: `disconnect`, and the stream continues.
   */
  onUnmount?: 'disconnect' | 'cancel';
  onChunk?(event: ChunkEvent): void;
  onItem?(event: ItemEvent): void;
  onThinking?(event: ThinkingEvent): void;
  onQueue?(event: QueueEvent): void;
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
  /** The id of the stream whose answer this one continues; undefined for any other answer. */
  continues: string | undefined;
  /** The name of the sample answer that is replayed; undefined if a model answers. */
  sample: string | undefined;
  status: StreamStatus;
  /** A stream was requested and has not ended. */
  isLoading: boolean;
  /** The answer ended with `complete`. */
  isComplete: boolean;
  text: string;
  items: readonly Item[];
  arriving: Readonly<Record<string, string>>;
  /**
   * Whether the model reasons before it writes, and for how long it has. Undefined if no reasoning
   * was seen here: nothing stores it, so it is gone after a reload.
   */
  thinking: Thinking | undefined;
  /** The place in line while the stream waits for a place on a full server, 1 = next; else null. */
  queuePlace: number | null;
  /** The result of a complete structured answer. */
  result: Record<string, unknown> | undefined;
  /** Why the stream failed. While it runs: why it could not be stopped. */
  error: StreamProblem | undefined;
  /** While `reconnecting`: the server's reason for not answering, if it gave one. */
  lineProblem: StreamProblem | undefined;
  /** `stop` was called, and has neither succeeded nor been refused. */
  isStopping: boolean;
  finishReason: FinishReason | undefined;
  transport: TransportName | undefined;
  /** Whether the stream uses the other transport instead of the preferred one. */
  isFallback: boolean;
  /** While `reconnecting`: when the next attempt is due, in ms since the epoch. */
  nextTryAt: number | undefined;
  /**
   * With `error`: when the server allows another try, in ms since the epoch; null if it did not say.
   * Waits of up to 30 s are not errors: the client is then `reconnecting` until `nextTryAt`.
   */
  retryAt: number | null;
  metrics: StreamMetrics;
  /** The last input; undefined for a stream that was only watched. */
  input: StreamRequest | undefined;
  /**
   * Starts a stream and resolves when it ends. Never rejects. Disconnects from the hook's previous
   * stream.
   */
  submit(input: StreamRequest): Promise<void>;
  /**
   * Stops the generation. Never rejects: after a refusal the stream continues and `error` says why.
   */
  stop(): Promise<void>;
  /** Sends the same input again, as a new stream. After a sample, the model answers. */
  regenerate(): Promise<void>;
  /** Watches a stream, or resumes the one that was disconnected or lost. */
  resume(streamId?: string): Promise<void>;
  /** While `reconnecting`: tries again at once. */
  reconnectNow(): void;
  /** Stops watching; the generation continues. */
  disconnect(): void;
  clearError(): void;
  /** Returns to the initial state. */
  reset(): void;
}

export interface AIBlockStream<Data> extends Omit<AIStream, 'submit'> {
  blockType: string;
  data: Data;
  /** Whether `data` is final. */
  isFinal: boolean;
  submit(input: StreamInput | string): Promise<void>;
}
