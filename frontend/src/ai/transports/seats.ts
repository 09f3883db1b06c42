/** Shares the seats of a browser between the lines of all its tabs. See `core/seating.ts`. */
import type { Claim } from '../core/seating';
import { entitled, SEATS, TURN_MS } from '../core/seating';
import type { Environment } from '../types';

/** How often a tab with lines tells the others about them, in ms. */
const BEAT_MS = 1_000;
/** Another tab that is silent for so long is gone, in ms. */
const STALE_MS = 3_500;

/** A line that needs a seat. */
export interface Sitter {
  /** False while leaving would waste the seat: nothing has been received yet. */
  readonly canLeave: boolean;
  /** The line has a seat: open it. */
  sit(): void;
  /** Another line's turn has come: close it. */
  leave(): void;
}

/** What a tab tells the others. Without claims, it only asks for theirs. */
interface Notice {
  tab: string;
  claims: Claim[];
}

/**
 * Timers of hidden pages may be late by a minute. Therefore a tab also answers the others' notices,
 * and looks at its seats whenever one of its lines receives something.
 */
export class Seats {
  readonly #env: Environment;
  readonly #own = new Map<Sitter, Claim>();
  readonly #others = new Map<string, { claims: Claim[]; heardAt: number }>();
  readonly #channel: ReturnType<Environment['channel']>;
  readonly #tab: string;
  #claims = 0;
  #saidAt = 0;
  #timer: number | undefined;
  #stopWaking: () => void = () => undefined;

  /** Listens from now on, so that the first line already knows of the others. */
  constructor(channelName: string, env: Environment) {
    this.#env = env;
    this.#channel = env.channel(channelName, (notice) => this.#hear(notice));
    this.#tab = this.#channel ? env.uuid() : '';
    this.#say();
  }

  /** Calls `sit` at once if there is a seat, else later; then `leave` and `sit` in turns. */
  add(sitter: Sitter): void {
    if (this.#own.size === 0) this.#enter();
    const id = `${this.#tab}:${++this.#claims}`;
    // It need not wait for a turn, like one that has just stood up.
    const since = this.#env.now() - TURN_MS;
    this.#own.set(sitter, { id, isVisible: true, isSeated: false, since });
    this.#assign();
    this.#say();
  }

  /** The line has ended. Its seat is free. */
  remove(sitter: Sitter): void {
    if (!this.#own.delete(sitter)) return;
    this.#assign();
    this.#say();
    if (this.#own.size === 0) this.#exit();
  }

  /** A line has received something. */
  pulse(): void {
    if (this.#own.size === 0) return;
    if (this.#env.now() - this.#saidAt >= BEAT_MS) this.#beat();
    else this.#update();
  }

  // --- this tab ------------------------------------------------------------------

  #enter(): void {
    this.#stopWaking = this.#env.onWake(() => this.#beat());
    this.#beatLater();
  }

  #exit(): void {
    this.#stopWaking();
    if (this.#timer !== undefined) this.#env.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #beatLater(): void {
    this.#timer = this.#env.setTimeout(() => {
      this.#beatLater();
      this.#beat();
    }, BEAT_MS);
  }

  #beat(): void {
    this.#assign();
    this.#say();
  }

  #update(): void {
    if (this.#assign()) this.#say();
  }

  /** Seats and unseats the lines of this tab. Returns whether anything changed. */
  #assign(): boolean {
    const now = this.#env.now();
    for (const [tab, { heardAt }] of this.#others) if (now - heardAt > STALE_MS) this.#others.delete(tab);
    const isVisible = this.#env.isVisible();
    for (const claim of this.#own.values()) claim.isVisible = isVisible;
    const all = [...this.#others.values()].flatMap(({ claims }) => claims).concat(...this.#own.values());
    const allowed = entitled(all, now);
    let taken = all.filter(({ isSeated }) => isSeated).length;
    const moved: [Sitter, Claim][] = [];
    const move = (sitter: Sitter, claim: Claim, isSeated: boolean) => {
      Object.assign(claim, { isSeated, since: now });
      taken += isSeated ? 1 : -1;
      moved.push([sitter, claim]);
    };
    for (const [sitter, claim] of this.#own) {
      if (claim.isSeated && !allowed.has(claim.id) && sitter.canLeave) move(sitter, claim, false);
    }
    for (const [sitter, claim] of this.#own) {
      // Whoever must leave this seat may not have left yet.
      if (!claim.isSeated && allowed.has(claim.id) && taken < SEATS) move(sitter, claim, true);
    }
    for (const [sitter, { isSeated }] of moved) {
      if (!this.#own.has(sitter)) continue; // one of the others' callbacks has removed it
      if (isSeated) sitter.sit();
      else sitter.leave();
    }
    return moved.length > 0;
  }

  // --- the other tabs ---------------------------------------------------------------

  #say(): void {
    this.#saidAt = this.#env.now();
    this.#channel?.post({ tab: this.#tab, claims: [...this.#own.values()] } satisfies Notice);
  }

  #hear(notice: unknown): void {
    const { tab, claims } = notice as Notice;
    const now = this.#env.now();
    const isNew = !this.#others.has(tab);
    if (claims.length > 0) this.#others.set(tab, { claims, heardAt: now });
    else this.#others.delete(tab);
    const hasChanged = this.#assign();
    if (this.#own.size === 0) return;
    if (hasChanged || isNew || now - this.#saidAt >= BEAT_MS) this.#say();
  }
}
