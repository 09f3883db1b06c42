/** The server's end of a line, controlled by the test. Both transports have the same methods. */
import { vi } from 'vitest';

import type { StreamEvent } from '../core/events';
import { sseFrame } from './scriptedEvents';

/** Lets everything happen that does not wait for a timer. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** Advances the clock. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** What a line was opened for, as sent over the wire. */
export type Asked =
  | { kind: 'start'; blockType: string; prompt: unknown; options: unknown; requestId: unknown; continues?: unknown }
  | { kind: 'watch'; streamId: string; after: number };

export interface ScriptedLine {
  readonly transport: 'sse' | 'websocket';
  readonly asked: Asked;
  /** Whether the client has closed it. */
  readonly isLetGo: boolean;
  send(...events: StreamEvent[]): Promise<void>;
  /** Sends a sign of life that is not an event. */
  alive(): Promise<void>;
  /** Breaks the connection without a closing handshake, as a network failure does. */
  cut(): Promise<void>;
  /** Refuses the request. */
  refuse(status: number, code: string, extra?: Refusal): Promise<void>;
}

export interface Refusal {
  retryAfter?: string;
  retryAfterMs?: number;
  body?: Record<string, unknown>;
}

export interface RecordedRequest {
  method: string;
  url: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  credentials: RequestCredentials | undefined;
  isAborted: boolean;
}

/** An HTTP request for events whose response the test writes step by step. */
export class SseLine implements ScriptedLine {
  readonly transport = 'sse';
  readonly request: RecordedRequest;
  readonly answer: Promise<Response>;
  #answer: (response: Response) => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(request: RecordedRequest, signal: AbortSignal | null | undefined) {
    this.request = request;
    this.answer = new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
    });
    signal?.addEventListener('abort', () => {
      const aborted = new DOMException('aborted', 'AbortError');
      this.#fail(aborted);
      this.#body?.error(aborted);
      this.#body = undefined;
    });
  }

  get asked(): Asked {
    const { method, path, headers, body } = this.request;
    const [, , , last = ''] = path.split('/');
    if (method === 'POST') {
      const { prompt, options, request_id, continues } = body as Record<string, unknown>;
      const blockType = path.split('/').at(-1) ?? '';
      return { kind: 'start', blockType, prompt, options, requestId: request_id, continues };
    }
    const cursor = headers['last-event-id'] ?? '';
    if (!cursor.startsWith(`${last}:`)) throw new Error(`a cursor of another stream: ${cursor}`);
    return { kind: 'watch', streamId: last, after: Number(cursor.slice(last.length + 1)) };
  }

  get isLetGo(): boolean {
    return this.request.isAborted;
  }

  /** Sends the response head. */
  async open(headers: Record<string, string> = { 'Content-Type': 'text/event-stream; charset=utf-8' }) {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#body = controller) });
    this.#answer(new Response(body, { headers }));
    await settle();
  }

  async raw(bytes: string | Uint8Array): Promise<void> {
    if (!this.#body && !this.isLetGo) await this.open();
    this.#body?.enqueue(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes);
    await settle();
  }

  /** Sends all events in one piece, as a fast server does. */
  send(...events: StreamEvent[]): Promise<void> {
    return this.raw(events.map(sseFrame).join(''));
  }

  alive(): Promise<void> {
    return this.raw(':\n\n');
  }

  /** Before the head is sent the request fails; after it the body breaks off. */
  async cut(): Promise<void> {
    const broken = new TypeError('network error');
    if (this.#body) this.#body.error(broken);
    else this.#fail(broken);
    this.#body = undefined;
    await settle();
  }

  /** Ends the body normally. */
  async end(): Promise<void> {
    this.#body?.close();
    this.#body = undefined;
    await settle();
  }

  refuse(status: number, code: string, { retryAfter, retryAfterMs, body }: Refusal = {}): Promise<void> {
    const after = retryAfter ?? (retryAfterMs === undefined ? undefined : String(retryAfterMs / 1000));
    const problem = { type: 'about:blank', title: code, status, detail: `No: ${code}.`, code, ...body };
    return this.reply(
      new Response(JSON.stringify(problem), {
        status,
        headers: {
          'Content-Type': 'application/problem+json',
          ...(after === undefined ? {} : { 'Retry-After': after }),
        },
      }),
    );
  }

  async reply(response: Response): Promise<void> {
    this.#answer(response);
    await settle();
  }
}

export type Frame = Record<string, unknown> & { type: string };

/** One `start` or `resume` frame on a socket. */
export class SocketLine implements ScriptedLine {
  readonly transport = 'websocket';
  readonly socket: ScriptedSocket;
  readonly #frame: Frame;
  #streamId: string | undefined;

  constructor(socket: ScriptedSocket, frame: Frame) {
    this.socket = socket;
    this.#frame = frame;
    this.#streamId = frame['stream_id'] as string | undefined;
  }

  get ref(): string {
    return this.#frame['ref'] as string;
  }

  get asked(): Asked {
    const { type, block_type, prompt, options, request_id, continues, stream_id, after } = this.#frame;
    return type === 'start'
      ? { kind: 'start', blockType: block_type as string, prompt, options, requestId: request_id, continues }
      : { kind: 'watch', streamId: stream_id as string, after: after as number };
  }

  get isLetGo(): boolean {
    const { frames, readyState } = this.socket;
    const since = frames.slice(frames.indexOf(this.#frame) + 1);
    return (
      readyState !== 1 ||
      since.some((frame) => frame.type === 'leave' && frame['stream_id'] === this.#streamId)
    );
  }

  send(...events: StreamEvent[]): Promise<void> {
    return this.socket.say(
      ...events.map((event) => {
        if (event.type !== 'start') return event;
        this.#streamId = event.stream_id;
        return { ...event, ref: this.ref };
      }),
    );
  }

  alive(): Promise<void> {
    return this.socket.say({ type: 'ping' });
  }

  cut(): Promise<void> {
    return this.socket.shut(1006);
  }

  refuse(_status: number, code: string, { retryAfterMs, body }: Refusal = {}): Promise<void> {
    const wait = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
    return this.socket.say({ type: 'refused', ref: this.ref, code, message: `No: ${code}.`, ...wait, ...body });
  }
}

/**
 * A socket that does nothing by itself, except what the server's `socketPolicy` says for new
 * sockets.
 */
export class ScriptedSocket {
  readonly url: string;
  readonly protocols: string[];
  readonly frames: Frame[] = [];
  readonly #onFrame: (socket: ScriptedSocket, frame: Frame) => void;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((closed: { code: number }) => void) | null = null;

  constructor(url: string, protocols: string[], onFrame: (socket: ScriptedSocket, frame: Frame) => void) {
    this.url = url;
    this.protocols = protocols;
    this.#onFrame = onFrame;
  }

  send(text: string): void {
    if (this.readyState !== 1) throw new DOMException('not open', 'InvalidStateError');
    const frame = JSON.parse(text) as Frame;
    this.frames.push(frame);
    this.#onFrame(this, frame);
  }

  /** Behaves like a browser: messages in flight still arrive, and `onclose` fires late. */
  close(): void {
    if (this.readyState > 1) return;
    this.readyState = 2;
    setTimeout(() => this.#closed(1006), 5);
  }

  accept(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.onopen?.();
  }

  /** Also works on a socket that the client has closed, like a message in flight. */
  async say(...frames: object[]): Promise<void> {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
    await settle();
  }

  async shut(code: number): Promise<void> {
    this.#closed(code);
    await settle();
  }

  #closed(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code });
  }
}
