/**
 * Decides which lines of a browser may be open. Pure; every tab decides alone, from the same claims.
 *
 * A browser opens six HTTP/1.1 connections to a site, for all its tabs together. An answer over SSE
 * holds one of them until it ends. Some must stay free: for pages, and for a cancel.
 */

/** What one line wants, as its tab tells the other tabs. */
export interface Claim {
  id: string;
  /** Whether somebody can see the line's page. */
  isVisible: boolean;
  /** Whether the line has a seat, so whether it may hold a connection. */
  isSeated: boolean;
  /** When it sat down, or when it began to wait, in ms since the epoch. */
  since: number;
}

/** How many lines may be open at a time. */
export const SEATS = 4;
/** How long a line may keep its seat while others wait, and how long they let it, in ms. */
export const TURN_MS = 1_000;
/** How long a hidden page waits before it comes before visible ones, in ms. */
const PATIENCE_MS = 15_000;

/** The ids of the lines that may be open now, at most `SEATS`. */
export function entitled(claims: readonly Claim[], now: number): Set<string> {
  const ranked = claims.map((claim) => ({ id: claim.id, rank: rankOf(claim, now) }));
  ranked.sort((one, other) => compare(one.rank, other.rank) || (one.id < other.id ? -1 : 1));
  return new Set(ranked.slice(0, SEATS).map(({ id }) => id));
}

/**
 * Visible pages come first. Among equals: who sits for less than a turn; who has waited for a turn,
 * the longest first; who sits, the shortest first; who has just stood up.
 */
function rankOf({ isVisible, isSeated, since }: Claim, now: number): number[] {
  const ms = now - since;
  const isFirst = isVisible || (!isSeated && ms > PATIENCE_MS);
  const isShort = ms < TURN_MS;
  if (isSeated) return [isFirst ? 0 : 1, isShort ? 0 : 2, ms];
  return [isFirst ? 0 : 1, isShort ? 3 : 1, -ms];
}

function compare(one: number[], other: number[]): number {
  return one.map((value, at) => value - (other[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
}
