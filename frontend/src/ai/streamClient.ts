/** The client: starts streams, follows them over whatever line there is, and shares them. */
import { Api } from './api';
import { browserEnvironment } from './environment';
import type { StreamEvent } from './events';
import type { RunContext, RunGoal } from './run';
import { StreamRun } from './run';
import { RunHandle } from './streamHandle';
import { SseTransport } from './transports/sse';
import { WebSocketTransport } from './transports/websocket';
import type {
  Environment,
  StreamClientOptions,
  StreamHandle,
  StreamHandlers,
  StreamRequest,
  TransportName,
  WatchRequest,
} from './types';

const MAX_ATTEMPTS = 12;
const SILENCE_MS = 40_000;
const CONFIG_MS = 30_000; // so long what the server said of its transport is believed

/**
 * Follows streams of one server.
 *
 * ```ts
 * const client = new StreamClient();
 * const answer = client.start({ blockType: 'ask-question', prompt: 'Why is the sky blue?' });
 * for await (const event of answer) if (event.type === 'chunk') write(event.token);
 * ```
 *
 * A lost line is taken up again at the exact token, if need be on the other transport. Several
 * handles on one stream share its line and its state.
 */
export class StreamClient {
  readonly api: Api;
  readonly #options: StreamClientOptions;
  readonly #env: Environment;
  readonly #context: Omit<RunContext, 'choose'>;
  readonly #runs = new Set<StreamRun>();
  #chosen: { at: number; transport: TransportName; fallback: boolean } | undefined;

  constructor(options: StreamClientOptions = {}) {
    const baseUrl = options.baseUrl ?? '';
    this.#options = options;
    this.#env = { ...browserEnvironment(), ...options.environment };
    this.api = new Api(baseUrl, this.#env);
    this.#context = {
      env: this.#env,
      api: this.api,
      transports: {
        sse: new SseTransport(this.api, baseUrl, this.#env),
        websocket: new WebSocketTransport(baseUrl, this.#env),
      },
      maxAttempts: options.maxAttempts ?? MAX_ATTEMPTS,
      silenceMs: options.silenceMs ?? SILENCE_MS,
    };
  }

  /**
   * Ask. Nothing is thrown: what goes wrong reaches `onError` and the handle.
   *
   * @param transport - for this stream alone, instead of the client's.
   */
  start(
    request: StreamRequest,
    handlers: StreamHandlers = {},
    transport?: TransportName | 'auto',
  ): StreamHandle {
    const requestId = request.requestId ?? this.#env.uuid();
    const run = [...this.#runs].find((each) => each.request?.requestId === requestId);
    return this.#follow(run, { request: { ...request, requestId } }, handlers, transport);
  }

  /** Follow a stream that exists, from its beginning. */
  watch(
    { streamId }: WatchRequest,
    handlers: StreamHandlers = {},
    transport?: TransportName | 'auto',
  ): StreamHandle {
    const run = [...this.#runs].find((each) => each.streamId === streamId);
    return this.#follow(run, { streamId }, handlers, transport);
  }

  #follow(
    known: StreamRun | undefined,
    goal: RunGoal,
    handlers: StreamHandlers,
    transport: TransportName | 'auto' | undefined,
  ): StreamHandle {
    if (known) return new RunHandle(known, handlers, beginningOf(known));
    const choose = () => this.#choose(transport ?? this.#options.transport ?? 'auto');
    const run = new StreamRun({ ...this.#context, choose }, goal);
    this.#runs.add(run);
    void run.done.then(() => this.#runs.delete(run));
    return new RunHandle(run, handlers, []);
  }

  /** What the server names, unless the caller does. The server may still send us elsewhere. */
  async #choose(
    wanted: TransportName | 'auto',
  ): Promise<{ transport: TransportName; fallback: boolean }> {
    const mayFallBack = this.#options.fallback ?? true;
    if (wanted !== 'auto') return { transport: wanted, fallback: mayFallBack };
    if (!this.#chosen || this.#env.now() - this.#chosen.at > CONFIG_MS) {
      try {
        const { streaming } = await this.api.config();
        this.#chosen = {
          at: this.#env.now(),
          transport: streaming.backend,
          fallback: streaming.fallback,
        };
      } catch {
        // The line that is opened next will say what is wrong.
        return this.#chosen ?? { transport: 'sse', fallback: mayFallBack };
      }
    }
    return { transport: this.#chosen.transport, fallback: mayFallBack && this.#chosen.fallback };
  }
}

/** What has happened so far, for a handle that joins late: a `start`, and a `snapshot` of it. */
function beginningOf(run: StreamRun): StreamEvent[] {
  const { state } = run;
  if (state.streamId === undefined) return [];
  const { streamId, lastSeq, text, items, arriving, status } = state;
  return [
    {
      type: 'start',
      stream_id: streamId,
      block_type: state.blockType ?? '',
      model: state.model ?? '',
      status,
      after: -1,
      created_at: state.createdAt ?? '',
      request_id: run.request?.requestId ?? null,
    },
    {
      type: 'snapshot',
      stream_id: streamId,
      seq: lastSeq,
      status,
      text,
      items: [...items],
      arriving,
    },
  ];
}
