/** A server that does what the test says, and the environment through which a client reaches it. */
import type { Environment, StreamHandlers, StreamClientOptions } from '../types';
import { StreamClient } from '../streamClient';
import type { Frame, RecordedRequest, ScriptedLine } from './scriptedLines';
import { ScriptedSocket, settle, SocketLine, SseLine } from './scriptedLines';

const BASE_URL = 'https://live.test';

/** What happens to new sockets. `hang`: nothing, as behind a proxy that swallows them. */
export type SocketPolicy = 'accept' | 'block' | 'hang' | 'forbid';

/**
 * Needs fake timers (`vi.useFakeTimers()`) and takes its time from them.
 *
 * Requests for events and `start` or `resume` frames become lines. The test takes them one by one
 * with `line()`. Other calls are looked up in `answers` by method and path; the default is 404.
 */
export class ScriptedServer {
  readonly requests: RecordedRequest[] = [];
  readonly sockets: ScriptedSocket[] = [];
  readonly lines: ScriptedLine[] = [];
  readonly environment: Environment;
  readonly answers: Record<string, (request: RecordedRequest) => Response | Promise<Response>> = {};
  socketPolicy: SocketPolicy = 'accept';
  /** Blocks all traffic: HTTP fails at once, and so do new sockets. */
  isOffline = false;
  /** Whether the page of the client has another origin. Must be set before the client is made. */
  isForeign = false;
  /** How often somebody has signed in or out in another tab, which renews the CSRF cookie. */
  sessions = 0;
  streaming = { enabled: true, backend: 'sse', fallback: true, message: '' };
  readonly #untaken: ScriptedLine[] = [];
  readonly #wakers = new Set<() => void>();
  #csrfTokens = 0;
  #uuids = 0;
  #seed = 42;

  constructor() {
    const connect = (url: string, protocols?: string[]) => this.#connect(url, protocols);
    this.environment = {
      fetch: (input, init) => this.#fetch(String(input), init ?? {}),
      WebSocket: function socket(url: string, protocols?: string[]) {
        return connect(url, protocols);
      } as unknown as typeof WebSocket,
      now: () => Date.now(),
      random: () => this.#random(),
      setTimeout: (callback, ms) => setTimeout(callback, ms) as unknown as number,
      clearTimeout: (id) => clearTimeout(id),
      uuid: () => `00000000-0000-4000-8000-${String(++this.#uuids).padStart(12, '0')}`,
      onWake: (callback) => {
        this.#wakers.add(callback);
        return () => this.#wakers.delete(callback);
      },
      cookies: () => (this.#csrfTokens > 0 ? `csrftoken=${this.sessions}` : ''),
      isVisible: () => true,
      isMultiplexed: () => false,
      isForeign: () => this.isForeign,
      hasOrigin: () => true,
      channel: () => undefined,
    };
    this.answers['GET /api/config'] = () => {
      const csrf_token = `token-${++this.#csrfTokens}`;
      return Response.json({ streaming: this.streaming, limits: {}, user: null, demo_model: false, csrf_token });
    };
  }

  client(options: StreamClientOptions = {}): StreamClient {
    return new StreamClient({ baseUrl: BASE_URL, environment: this.environment, ...options });
  }

  /** The next line that the client has requested. */
  async line(): Promise<ScriptedLine> {
    await settle();
    const line = this.#untaken.shift();
    if (!line) throw new Error('the client has asked for no further line');
    return line;
  }

  async sseLine(): Promise<SseLine> {
    const line = await this.line();
    if (!(line instanceof SseLine)) throw new Error('the client asked over a WebSocket');
    return line;
  }

  async socketLine(): Promise<SocketLine> {
    const line = await this.line();
    if (!(line instanceof SocketLine)) throw new Error('the client asked over SSE');
    return line;
  }

  /** The recorded calls of one method and path, such as `POST /api/streams/cancel`. */
  calls(what: string): RecordedRequest[] {
    return this.requests.filter(({ method, path }) => `${method} ${path}` === what);
  }

  /** Signals that the network or the page is back. */
  async wake(): Promise<void> {
    for (const waker of [...this.#wakers]) waker();
    await settle();
  }

  /** How many wake-up listeners are registered; a finished run must have none. */
  get wakerCount(): number {
    return this.#wakers.size;
  }

  get openSocketCount(): number {
    return this.sockets.filter((socket) => socket.readyState < 2).length;
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const { pathname: path } = new URL(url);
    const headers = Object.fromEntries(new Headers(init.headers));
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    const request = { method: init.method ?? 'GET', url, path, headers, body, credentials: init.credentials, isAborted: false };
    init.signal?.addEventListener('abort', () => {
      request.isAborted = true;
    });
    if (init.signal?.aborted) throw new DOMException('aborted', 'AbortError');
    this.requests.push(request);
    if (this.isOffline) throw new TypeError('Failed to fetch');
    const answer = this.answers[`${request.method} ${path}`];
    if (answer) return answer(request);
    if (!path.startsWith('/api/stream/ai-block/') && !path.endsWith('/events')) {
      return Response.json({ code: 'not_found', status: 404 }, { status: 404 });
    }
    const line = new SseLine(request, init.signal);
    this.#add(line);
    return line.answer;
  }

  #connect(url: string, protocols: string[] = []): ScriptedSocket {
    if (this.socketPolicy === 'forbid') throw new DOMException('forbidden', 'SecurityError');
    const socket = new ScriptedSocket(url, protocols, (from, frame) => this.#framed(from, frame));
    this.sockets.push(socket);
    if (this.isOffline || this.socketPolicy === 'block') queueMicrotask(() => void socket.shut(1006));
    else if (this.socketPolicy === 'accept') queueMicrotask(() => socket.accept());
    return socket;
  }

  #framed(socket: ScriptedSocket, frame: Frame): void {
    if (frame.type === 'start' || frame.type === 'resume') this.#add(new SocketLine(socket, frame));
  }

  #add(line: ScriptedLine): void {
    this.lines.push(line);
    this.#untaken.push(line);
  }

  /** mulberry32: small, and the same in every test run. */
  #random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}

/** Handlers that log every call, one entry per call. */
export function recorder(): { log: string[]; handlers: StreamHandlers } {
  const log: string[] = [];
  const handlers: StreamHandlers = {
    onStart: (event) => log.push(`start ${event.after}`),
    onChunk: (event) => log.push(`chunk ${event.token}`),
    onItem: (event) => log.push(`item ${event.path}`),
    onQueue: ({ place }) => log.push(`queue ${place}`),
    onThinking: ({ since_ms }) => log.push(`thinking ${since_ms}`),
    onReset: (event) => log.push(`reset ${event.reason}`),
    onSnapshot: (event) => log.push(`snapshot ${event.text}`),
    onComplete: () => log.push('complete'),
    onError: (problem) => log.push(`error ${problem.code}`),
    onCancelled: (event) => log.push(`cancelled ${event.by}`),
    onStatusChange: (status) => log.push(`is ${status}`),
    onReconnect: ({ attempt }) => log.push(`reconnect ${attempt}`),
  };
  return { log, handlers };
}
