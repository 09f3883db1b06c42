/** The client: starts streams, follows them on whichever transport works, and shares them. */
import { Api } from './api';
import { browserEnvironment, originOf, sitePath } from './environment';
import type { RunContext, RunGoal } from './run';
import { StreamRun } from './run';
import { RunHandle } from './streamHandle';
import { SeatedTransport } from './transports/seated';
import { Seats } from './transports/seats';
import { SseTransport } from './transports/sse';
import { WebSocketTransport } from './transports/websocket';
import type {
  Environment,
  StreamClientOptions,
  StreamHandle,
  StreamHandlers,
  StreamRequest,
  StreamSource,
  TransportName,
  WatchRequest,
} from './types';

const MAX_ATTEMPTS = 12;
const MAX_START_ATTEMPTS = 60;
const SILENCE_MS = 40_000;
const CONFIG_MS = 30_000; // how long the server's choice of transport is cached
const CONFIG_WAIT_MS = 10_000; // a network may swallow a request for minutes

const seatsByName = new Map<string, Seats>();
const seatsOf = (baseUrl: string) => `liveai seats ${originOf(baseUrl)}`;

/**
 * The seats that all clients of a page share: they hold a BroadcastChannel, which outlives a client
 * that is dropped. A client with an environment of its own has seats of its own.
 */
function pageSeats(name: string): Seats {
  const seats = seatsByName.get(name) ?? new Seats(name, browserEnvironment());
  seatsByName.set(name, seats);
  return seats;
}

/**
 * Follows the streams of one server.
 *
 * ```ts
 * const client = new StreamClient();
 * const answer = client.start({ blockType: 'ask-question', prompt: 'Why is the sky blue?' });
 * for await (const event of answer) if (event.type === 'chunk') write(event.token);
 * ```
 *
 * A lost connection is resumed at the exact token, on the other transport if necessary. Several
 * handles on one stream share its connection and its state.
 */
export class StreamClient implements StreamSource {
  readonly api: Api;
  readonly #options: StreamClientOptions;
  readonly #env: Environment;
  readonly #context: Omit<RunContext, 'choose'>;
  readonly #runs = new Set<StreamRun>();
  #chosen: { at: number; transport: TransportName; fallback: boolean } | undefined;

  constructor(options: StreamClientOptions = {}) {
    const baseUrl = options.baseUrl ?? sitePath();
    this.#options = options;
    const { fetch, WebSocket } = options;
    this.#env = { ...browserEnvironment(), ...(fetch && { fetch }), ...(WebSocket && { WebSocket }), ...options.environment };
    this.api = new Api(baseUrl, this.#env, options);
    const { access } = this.api;
    this.#context = {
      env: this.#env,
      api: this.api,
      transports: {
        sse: new SeatedTransport(
          new SseTransport(this.api, this.#env),
          options.environment ? new Seats(seatsOf(baseUrl), this.#env) : pageSeats(seatsOf(baseUrl)),
          baseUrl,
          access,
          this.#env,
        ),
        websocket: new WebSocketTransport(baseUrl + (options.socketPath ?? '/ws/stream'), access, this.#env),
      },
      access,
      maxAttempts: options.maxAttempts ?? MAX_ATTEMPTS,
      maxStartAttempts: options.maxAttempts ?? MAX_START_ATTEMPTS,
      silenceMs: options.silenceMs ?? SILENCE_MS,
    };
  }

  /**
   * Starts a stream. Never throws: errors reach `onError` and the handle.
   *
   * @param transport - for this stream only; default: the client's.
   */
  start(
    request: StreamRequest,
    handlers: StreamHandlers = {},
    transport?: TransportName | 'auto',
  ): StreamHandle {
    const requestId = request.requestId ?? this.#env.uuid();
    const run = [...this.#runs].find((each) => each.isJoinable && each.request?.requestId === requestId);
    return this.#follow(run, { request: { ...request, requestId } }, handlers, transport);
  }

  /** Follows an existing stream, from its beginning or from the state in `held`. */
  watch(
    { streamId, held }: WatchRequest,
    handlers: StreamHandlers = {},
    transport?: TransportName | 'auto',
  ): StreamHandle {
    const run = [...this.#runs].find((each) => each.isJoinable && each.streamId === streamId);
    return this.#follow(run, { streamId, held }, handlers, transport);
  }

  #follow(
    known: StreamRun | undefined,
    goal: RunGoal,
    handlers: StreamHandlers,
    transport: TransportName | 'auto' | undefined,
  ): StreamHandle {
    if (known) return new RunHandle(known, handlers);
    const choose = () => this.#choose(transport ?? this.#options.transport ?? 'auto');
    const run = new StreamRun({ ...this.#context, choose }, goal);
    this.#runs.add(run);
    void run.done.then(() => this.#runs.delete(run));
    return new RunHandle(run, handlers);
  }

  /**
   * Returns the caller's transport, or else the server's. The server may still redirect to the
   * other one.
   */
  async #choose(
    wanted: TransportName | 'auto',
  ): Promise<{ transport: TransportName; fallback: boolean }> {
    const mayFallBack = this.#options.fallback ?? true;
    if (wanted !== 'auto') return { transport: wanted, fallback: mayFallBack };
    if (!this.#chosen || this.#env.now() - this.#chosen.at > CONFIG_MS) {
      try {
        const { streaming } = await this.#inTime(this.api.config());
        this.#chosen = {
          at: this.#env.now(),
          transport: streaming.backend,
          fallback: streaming.fallback,
        };
      } catch {
        // The connection that is opened next will report what is wrong.
        return this.#chosen ?? { transport: 'sse', fallback: mayFallBack };
      }
    }
    return { transport: this.#chosen.transport, fallback: mayFallBack && this.#chosen.fallback };
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error('The server is slow to answer.'));
      const timer = this.#env.setTimeout(late, CONFIG_WAIT_MS);
      void answer.then(resolve, reject).finally(() => this.#env.clearTimeout(timer));
    });
  }
}
