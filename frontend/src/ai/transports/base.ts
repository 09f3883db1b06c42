/**
 * The interface of a transport: it delivers a stream's events over one line until the line ends.
 * A line is one stream's use of a connection: an SSE response, or one subscription on a WebSocket.
 */
import type { StreamEvent } from '../core/events';
import type { Refusal } from '../problem';
import type { StreamProblem, StreamRequest, TransportName } from '../types';

/** The purpose of a line: to watch an existing stream, or to send a request that starts one. */
export type Goal =
  | { kind: 'watch'; streamId: string; after: number }
  | { kind: 'start'; request: StreamRequest & { requestId: string } };

/**
 * Why a line ended. `lost` says nothing about the stream, which continues; the client should
 * reconnect.
 */
export type LineEnd =
  | {
      kind: 'lost';
      /**
       * Whether the server had accepted the line. If not, the transport may be blocked on the way.
       */
      wasOpen: boolean;
      /** The minimum wait before the next attempt. */
      waitMs?: number;
      /** The server's reason, if it gave one; shown when all attempts have failed. */
      problem?: StreamProblem;
    }
  | { kind: 'refused'; problem: StreamProblem }
  | { kind: 'elsewhere'; transport: TransportName; problem: StreamProblem }
  /** The cursor is already at the stream's end. */
  | { kind: 'nothing' };

/** The subscriber of a line. Nothing is called after `onEnd`, or once the line was closed. */
export interface LineSink {
  onEvent(event: StreamEvent): void;
  /** Reports a sign of life that is not an event. */
  onAlive(): void;
  /**
   * Lines take turns. False: this one is silent until its turn comes. True: it opens a connection.
   * Never called where lines need not take turns.
   */
  onTurn(isOurs: boolean): void;
  onEnd(end: LineEnd): void;
}

export interface Line {
  /**
   * Closes the line; the generation continues. Idempotent.
   *
   * @param isDead - the connection is silent, so close it even if other lines share it
   */
  close(isDead?: boolean): void;
  /** The stream has ended or is about to: get the end now, whoever's turn it is. */
  hurry?(): void;
}

export interface Transport {
  readonly name: TransportName;
  open(goal: Goal, sink: LineSink): Line;
}

/** What a refusal means for the line that it ends. */
export function endOf(refusal: Refusal): LineEnd {
  const { problem } = refusal;
  switch (refusal.kind) {
    case 'elsewhere':
      return { kind: 'elsewhere', transport: refusal.transport, problem };
    case 'later':
      // A code of our server's proves that nothing blocks the way to it; a proxy does not know
      // these codes.
      return { kind: 'lost', wasOpen: !problem.code.startsWith('http_'), waitMs: refusal.waitMs, problem };
    default:
      return { kind: 'refused', problem };
  }
}

/** The members of a start that are the same on both transports. */
export function startBody({ prompt, options, requestId, continues, sample }: StreamRequest) {
  return { prompt, options: options ?? {}, request_id: requestId, continues, sample };
}

/** A set of callbacks that can be disabled together, once their source is no longer wanted. */
export class Gate {
  #isOpen = true;

  shut(): void {
    this.#isOpen = false;
  }

  /** Returns `call`, which does nothing once the gate is shut. */
  guard<Args extends unknown[]>(call: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      if (this.#isOpen) call(...args);
    };
  }
}

/**
 * Opens a line and keeps the promise of `LineSink` on behalf of its transport.
 *
 * @param open - opens the transport's own line, which reports to `guarded`.
 */
export function guardedLine(sink: LineSink, open: (guarded: LineSink) => Line): Line {
  const gate = new Gate();
  const line = open({
    onEvent: gate.guard((event) => sink.onEvent(event)),
    onAlive: gate.guard(() => sink.onAlive()),
    onTurn: gate.guard((isOurs) => sink.onTurn(isOurs)),
    onEnd: gate.guard((end) => {
      gate.shut();
      sink.onEnd(end);
    }),
  });
  return {
    close: (isDead) => {
      gate.shut();
      line.close(isDead);
    },
    hurry: () => line.hurry?.(),
  };
}
