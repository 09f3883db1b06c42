/**
 * WebSocket: one socket carries all streams of a client. It is opened when a line first needs it.
 */
import type { Access } from '../access';
import { eventFromJson } from '../core/events';
import type { ApiError } from '../problem';
import { refusalOfFrame } from '../problem';
import type { Environment, StreamProblem } from '../types';
import type { Goal, Line, LineEnd, LineSink, Transport } from './base';
import { endOf, Gate, guardedLine, startBody } from './base';

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
  readonly #access: Access;
  #socket: WebSocket | undefined;
  #isConnecting = false; // waits for a token
  #isRenewal = false; // the next token replaces one that may have been refused
  #gate = new Gate(); // for the callbacks of the current socket
  #idleTimer: number | undefined;
  #refs = 0;

  /** @param address - of the server's socket, without a query */
  constructor(address: string, access: Access, env: Environment) {
    this.#url = () => socketUrl(address);
    this.#access = access;
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
    else if (!this.#socket && !this.#isConnecting) this.#connect();
    return { close: (isDead) => this.#close(line, isDead === true) };
  }

  #connect(): void {
    const gate = new Gate();
    this.#gate = gate;
    if (!this.#access.hasToken) return this.#dial(gate);
    this.#isConnecting = true;
    void this.#access.token(this.#isRenewal).then(
      gate.guard((token) => this.#dial(gate, ['liveai', `liveai.token.${token}`])),
      gate.guard((error: ApiError) => {
        this.#forget();
        this.#endAll({ kind: 'lost', wasOpen: true, problem: error.problem });
      }),
    );
  }

  #dial(gate: Gate, protocols?: string[]): void {
    this.#isConnecting = false;
    if (protocols && this.#lines.size === 0) return;
    let socket: WebSocket;
    try {
      socket = new this.#env.WebSocket(this.#url(), protocols ?? (this.#access.socketOptions() as undefined));
    } catch {
      // The page's policy or the browser forbids it. Report that later, not synchronously in the
      // caller's code.
      this.#env.setTimeout(() => this.#endAll({ kind: 'lost', wasOpen: false }), 0);
      return;
    }
    this.#socket = socket;
    let wasOpen = false;
    let wasAdmitted = false; // the server has said hello
    socket.onopen = gate.guard(() => {
      wasOpen = true;
      this.#access.isUnproven = false;
      for (const line of this.#lines) this.#ask(line);
      if (this.#lines.size === 0) this.#closeWhenIdle();
    });
    socket.onmessage = gate.guard((message: MessageEvent<unknown>) => {
      wasAdmitted = true;
      if (typeof message.data === 'string') this.#receive(message.data);
    });
    socket.onclose = gate.guard((closed: CloseEvent) => {
      this.#forget();
      const refused = closed.code === SIGNED_OUT ? signedOut(this.#access) : undefined;
      if (refused && this.#renew(refused)) return;
      // A refused handshake does not say why. Every other attempt asks for a new token.
      this.#isRenewal = !wasOpen && !this.#isRenewal;
      if (!refused) this.#endAll(endOfClose(closed.code, wasOpen));
      // A session may end in another tab; after a sign-in there, the next socket continues.
      else if (wasAdmitted && !this.#access.hasToken) this.#endAll({ kind: 'lost', wasOpen: true, problem: refused });
      else this.#endAll({ kind: 'refused', problem: refused });
    });
  }

  /** After a refused token: lets all lines come back with another one. False if that was tried. */
  #renew(problem: StreamProblem): boolean {
    if (!this.#access.canRenew || this.#isRenewal) return false;
    this.#isRenewal = true;
    this.#drop();
    this.#endAll({ kind: 'lost', wasOpen: true, problem });
    return true;
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
    if (event) this.#isRenewal = false;
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
    const end = endOf(refusalOfFrame(frame));
    if ('problem' in end && end.problem?.code === 'not_authenticated' && this.#renew(end.problem)) return;
    this.#lines.delete(line);
    line.sink.onEnd(end);
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
    this.#isConnecting = false;
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
  return JSON.stringify({ type: 'start', ref, block_type: goal.request.blockType, ...startBody(goal.request) });
}

function socketUrl(address: string): string {
  const url = new URL(`${address}?follow=none`, globalThis.location?.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

function signedOut({ hasToken }: Access): StreamProblem {
  const message = hasToken
    ? 'The token is not valid.'
    : 'Your session ended, because you signed in or out. Reload the page to continue.';
  return { code: 'not_authenticated', message, isRetryable: false };
}

const TOO_MANY_PROBLEM: StreamProblem = {
  code: 'rate_limited',
  message: 'Too many pages are open here, or too much was asked for at once.',
  isRetryable: true,
  retryAfterMs: TOO_MANY_WAIT_MS,
};

function endOfClose(code: number, wasOpen: boolean): LineEnd {
  switch (code) {
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
