/**
 * WebSocket: one socket carries all streams of a client. It is opened when a line first needs it.
 */
import { eventFromJson } from '../core/events';
import { refusalOfFrame } from '../problem';
import type { Environment, StreamProblem } from '../types';
import type { Goal, Line, LineEnd, LineSink, Transport } from './base';
import { Gate, guardedLine } from './base';

const IDLE_CLOSE_MS = 10_000;
const RESTARTING = 1012;
const SIGNED_OUT = 4401;
const NOT_SELECTED = 4409;
const TOO_MANY = 4429;
const TOO_MANY_WAIT_MS = 10_000;
const FRAME_BYTES = 65_536; // the server refuses larger frames without naming the line

interface SocketLine {
  readonly ref: string;
  readonly goal: Goal;
  readonly sink: LineSink;
  streamId: string | undefined;
  /**
   * False until its `start` arrives. Until then, the stream's events belong to an earlier position.
   */
  hasStarted: boolean;
}

export class WebSocketTransport implements Transport {
  readonly name = 'websocket';
  readonly #url: () => string;
  readonly #env: Environment;
  readonly #lines = new Set<SocketLine>();
  #socket: WebSocket | undefined;
  #gate = new Gate(); // for the callbacks of the current socket
  #idleTimer: number | undefined;
  #refs = 0;

  constructor(baseUrl: string, env: Environment) {
    this.#url = () => socketUrl(baseUrl);
    this.#env = env;
  }

  open(goal: Goal, sink: LineSink): Line {
    return guardedLine(sink, (guarded) => this.#open(goal, guarded));
  }

  #open(goal: Goal, sink: LineSink): Line {
    const line: SocketLine = {
      ref: `r${++this.#refs}`,
      goal,
      sink,
      streamId: goal.kind === 'watch' ? goal.streamId : undefined,
      hasStarted: false,
    };
    this.#lines.add(line);
    if (new TextEncoder().encode(frameOf(line)).length > FRAME_BYTES) {
      this.#env.setTimeout(() => this.#tooLarge(line), 0);
      return { close: () => this.#lines.delete(line) };
    }
    this.#clearIdle();
    if (this.#socket?.readyState === 1) this.#ask(line);
    else if (!this.#socket) this.#connect();
    return { close: (isDead) => this.#close(line, isDead === true) };
  }

  #connect(): void {
    let socket: WebSocket;
    try {
      socket = new this.#env.WebSocket(this.#url());
    } catch {
      // The page's policy or the browser forbids it. Report that later, not synchronously in the
      // caller's code.
      this.#env.setTimeout(() => this.#endAll({ kind: 'lost', wasOpen: false }), 0);
      return;
    }
    const gate = new Gate();
    this.#socket = socket;
    this.#gate = gate;
    let wasOpen = false;
    socket.onopen = gate.guard(() => {
      wasOpen = true;
      for (const line of this.#lines) this.#ask(line);
      if (this.#lines.size === 0) this.#closeWhenIdle();
    });
    socket.onmessage = gate.guard((message: MessageEvent<unknown>) => {
      if (typeof message.data === 'string') this.#receive(message.data);
    });
    socket.onclose = gate.guard((closed: CloseEvent) => {
      this.#forget();
      this.#endAll(endOfClose(closed.code, wasOpen));
    });
  }

  #ask(line: SocketLine): void {
    if (this.#socket?.readyState === 1) this.#socket.send(frameOf(line));
  }

  /** Sends `leave`, unless another line on this socket follows the same stream. */
  #leave(streamId: string): void {
    if (this.#socket?.readyState !== 1) return;
    if ([...this.#lines].some((line) => line.streamId === streamId)) return;
    this.#socket.send(JSON.stringify({ type: 'leave', stream_id: streamId }));
  }

  #tooLarge(line: SocketLine): void {
    if (!this.#lines.delete(line)) return;
    const message = 'The prompt is too long for a WebSocket.';
    const problem = { code: 'prompt_too_long', message, isRetryable: false };
    line.sink.onEnd({ kind: 'elsewhere', transport: 'sse', problem });
  }

  #receive(text: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof frame !== 'object' || frame === null) return;
    const event = eventFromJson(frame);
    if (event?.type === 'start' && event.ref !== undefined) this.#leaveUnwanted(event.stream_id, event.ref);
    for (const line of [...this.#lines]) {
      if (event === undefined) line.sink.onAlive();
      else if (event.type === 'reconnect' && event.stream_id === undefined) line.sink.onEvent(event);
      else if (event.type === 'start' && event.ref === line.ref) {
        line.streamId = event.stream_id;
        line.hasStarted = true;
        line.sink.onEvent(event);
      } else if (event.type === 'start') line.sink.onAlive(); // for another line
      else if (line.hasStarted && event.stream_id === line.streamId) line.sink.onEvent(event);
      else line.sink.onAlive();
    }
    if ((frame as { type?: unknown }).type === 'refused') this.#refused(frame);
  }

  /** Leaves the stream of a line that was closed before its stream id was known. */
  #leaveUnwanted(streamId: string, ref: string): void {
    if (![...this.#lines].some((line) => line.ref === ref)) this.#leave(streamId);
  }

  #refused(frame: { ref?: unknown; stream_id?: unknown; code?: unknown }): void {
    const line = [...this.#lines].find((each) => each.ref === frame.ref);
    if (!line) return;
    const refusal = refusalOfFrame(frame);
    this.#lines.delete(line);
    const { problem } = refusal;
    if (refusal.kind === 'later') {
      line.sink.onEnd({ kind: 'lost', wasOpen: true, waitMs: refusal.waitMs, problem });
    } else if (refusal.kind === 'elsewhere') {
      line.sink.onEnd({ kind: 'elsewhere', transport: refusal.transport, problem });
    } else {
      line.sink.onEnd({ kind: 'refused', problem });
    }
    this.#closeWhenIdle();
  }

  #close(line: SocketLine, isDead: boolean): void {
    if (!this.#lines.delete(line)) return;
    if (isDead) {
      const wasOpen = this.#socket?.readyState === 1;
      this.#drop();
      this.#endAll({ kind: 'lost', wasOpen });
      return;
    }
    if (line.streamId !== undefined) this.#leave(line.streamId);
    this.#closeWhenIdle();
  }

  #drop(): void {
    const socket = this.#socket;
    this.#forget();
    socket?.close();
  }

  #forget(): void {
    this.#gate.shut();
    this.#socket = undefined;
    this.#clearIdle();
  }

  #endAll(end: LineEnd): void {
    const lines = [...this.#lines];
    this.#lines.clear();
    for (const line of lines) line.sink.onEnd(end);
  }

  #closeWhenIdle(): void {
    if (this.#lines.size > 0 || !this.#socket) return;
    this.#clearIdle();
    this.#idleTimer = this.#env.setTimeout(() => {
      if (this.#lines.size === 0) this.#drop();
    }, IDLE_CLOSE_MS);
  }

  #clearIdle(): void {
    if (this.#idleTimer !== undefined) this.#env.clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
  }
}

function frameOf({ ref, goal }: SocketLine): string {
  if (goal.kind === 'watch') {
    const { streamId, after } = goal;
    return JSON.stringify({ type: 'resume', ref, stream_id: streamId, after });
  }
  const { blockType, prompt, options, requestId, continues, sample } = goal.request;
  return JSON.stringify({
    type: 'start',
    ref,
    block_type: blockType,
    prompt,
    options: options ?? {},
    request_id: requestId,
    continues,
    sample,
  });
}

function socketUrl(baseUrl: string): string {
  const url = new URL(`${baseUrl}/ws/stream?follow=none`, globalThis.location?.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

const SIGNED_OUT_PROBLEM: StreamProblem = {
  code: 'not_authenticated',
  message: 'Your session ended, because you signed in or out. Reload the page to continue.',
  isRetryable: false,
};

const TOO_MANY_PROBLEM: StreamProblem = {
  code: 'rate_limited',
  message: 'Too many pages are open here, or too much was asked for at once.',
  isRetryable: true,
  retryAfterMs: TOO_MANY_WAIT_MS,
};

function endOfClose(code: number, wasOpen: boolean): LineEnd {
  switch (code) {
    case SIGNED_OUT: // in another tab, for example; after a sign-in the next socket continues
      return { kind: 'lost', wasOpen: true, problem: SIGNED_OUT_PROBLEM };
    case NOT_SELECTED: {
      const message = 'WebSocket is not the selected transport.';
      const problem = { code: 'transport_not_selected', message, isRetryable: false };
      return { kind: 'elsewhere', transport: 'sse', problem };
    }
    case TOO_MANY: // not `wasOpen`: the other transport may still accept us
      return { kind: 'lost', wasOpen: false, waitMs: TOO_MANY_WAIT_MS, problem: TOO_MANY_PROBLEM };
    case RESTARTING:
      return { kind: 'lost', wasOpen: true };
    default:
      return { kind: 'lost', wasOpen };
  }
}
