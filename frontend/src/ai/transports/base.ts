/** What a transport is: it brings a stream's events over one line, until that ends. */
import type { StreamEvent } from '../core/events';
import type { StreamProblem, StreamRequest, TransportName } from '../types';

/** What a line is opened for: a stream that exists, or a request that starts one. */
export type Goal =
  | { kind: 'watch'; streamId: string; after: number }
  | { kind: 'start'; request: StreamRequest & { requestId: string } };

/** Why a line ended. `lost` says nothing about the stream: it goes on, and so should the client. */
export type LineEnd =
  | {
      kind: 'lost';
      /** Whether the server had let the line in. Else the transport may be blocked on the way. */
      wasOpen: boolean;
      /** At least so long to wait before the next try. */
      waitMs?: number;
      /** What was said, where something was: shown when the tries are spent. */
      problem?: StreamProblem;
    }
  | { kind: 'refused'; problem: StreamProblem }
  | { kind: 'elsewhere'; transport: TransportName; problem: StreamProblem }
  /** The cursor holds the stream's end already. */
  | { kind: 'nothing' };

/** Who listens to a line. Nothing is called after `onEnd`, or after the line was closed. */
export interface LineSink {
  onEvent(event: StreamEvent): void;
  /** A sign of life that is no event. */
  onAlive(): void;
  onEnd(end: LineEnd): void;
}

export interface Line {
  /**
   * Let go of it. Idempotent; the generation goes on.
   *
   * @param isDead - nothing is heard on it any more: what it shares with others goes too
   */
  close(isDead?: boolean): void;
}

export interface Transport {
  readonly name: TransportName;
  open(goal: Goal, sink: LineSink): Line;
}

/** Callbacks that stop working together, once nobody wants what they listen to. */
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
 * Opens a line, and keeps the promise of `LineSink` for its transport.
 *
 * @param open - opens the transport's own line, which reports to `guarded`.
 */
export function guardedLine(sink: LineSink, open: (guarded: LineSink) => Line): Line {
  const gate = new Gate();
  const line = open({
    onEvent: gate.guard((event) => sink.onEvent(event)),
    onAlive: gate.guard(() => sink.onAlive()),
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
  };
}
