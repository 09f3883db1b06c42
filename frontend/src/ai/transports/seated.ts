/**
 * Lets the lines of a transport take turns. A line that has no seat is closed, and goes on from its
 * cursor when its turn comes. Nobody who uses it notices, except that events come in bursts.
 */
import type { Access } from '../access';
import type { StreamEvent } from '../core/events';
import type { Environment, TransportName } from '../types';
import type { Goal, Line, LineSink, Transport } from './base';
import { guardedLine } from './base';
import type { Seats, Sitter } from './seats';

/** After `start`, the events that were missed arrive within this time on any usable network, in ms. */
const CATCH_UP_MS = 500;

export class SeatedTransport implements Transport {
  readonly name: TransportName;
  readonly #transport: Transport;
  readonly #seats: Seats;
  readonly #env: Environment;
  readonly #baseUrl: string;
  readonly #access: Access;

  constructor(transport: Transport, seats: Seats, baseUrl: string, access: Access, env: Environment) {
    this.name = transport.name;
    this.#transport = transport;
    this.#seats = seats;
    this.#baseUrl = baseUrl;
    this.#access = access;
    this.#env = env;
  }

  open(goal: Goal, sink: LineSink): Line {
    if (this.#env.isMultiplexed(this.#baseUrl)) return this.#transport.open(goal, sink);
    return guardedLine(sink, (guarded) => new SeatedLine(this.#transport, this.#seats, this.#access, this.#env, goal, guarded));
  }
}

class SeatedLine implements Line, Sitter {
  readonly #transport: Transport;
  readonly #seats: Seats;
  readonly #access: Access;
  readonly #env: Environment;
  readonly #sink: LineSink;
  #goal: Goal;
  #line: Line | undefined;
  #startedAt: number | undefined; // the open line's

  constructor(transport: Transport, seats: Seats, access: Access, env: Environment, goal: Goal, sink: LineSink) {
    this.#transport = transport;
    this.#seats = seats;
    this.#access = access;
    this.#env = env;
    this.#goal = goal;
    this.#sink = sink;
    seats.add(this);
    if (!this.#line) sink.onTurn(false);
  }

  get canLeave(): boolean {
    // A browser that blocks cookies (a worker can't tell) can't come back: the server would not know that it is the owner.
    const canReturn = this.#access.hasToken || this.#env.cookies() !== '';
    return canReturn && this.#startedAt !== undefined && this.#env.now() - this.#startedAt >= CATCH_UP_MS;
  }

  sit(): void {
    if (this.#line) return; // it was in a hurry
    this.#startedAt = undefined;
    this.#sink.onTurn(true);
    this.#line = this.#transport.open(this.#goal, {
      onEvent: (event) => {
        this.#follow(event);
        this.#sink.onEvent(event);
        this.#seats.pulse();
      },
      onAlive: () => {
        this.#sink.onAlive();
        this.#seats.pulse();
      },
      onTurn: (isOurs) => this.#sink.onTurn(isOurs),
      onEnd: (end) => {
        this.#seats.remove(this);
        this.#sink.onEnd(end);
      },
    });
  }

  leave(): void {
    this.#line?.close();
    this.#line = undefined;
    this.#sink.onTurn(false);
  }

  hurry(): void {
    // Without a seat: the end arrives at once, and the free connections suffice for that.
    this.sit();
  }

  close(isDead?: boolean): void {
    this.#seats.remove(this);
    this.#line?.close(isDead);
    this.#line = undefined;
  }

  /** Moves the goal to what has been received. */
  #follow(event: StreamEvent): void {
    if (event.type === 'start') {
      this.#startedAt = this.#env.now();
      this.#goal = { kind: 'watch', streamId: event.stream_id, after: event.after };
    } else if ('seq' in event) {
      this.#goal = { kind: 'watch', streamId: event.stream_id, after: event.seq };
    }
  }
}
