/** How long to wait before the next attempt. */

const FIRST_MS = 300;
const AT_MOST_MS = 15_000;

/**
 * Returns a delay that doubles with each attempt, with jitter between half and all of it. The
 * jitter keeps clients from reconnecting all at once after a server restart.
 *
 * @param attempt - 0 for the first attempt after a connection loss.
 * @param random - from [0, 1).
 * @param atLeastMs - the minimum that the server asked for (`Retry-After`, `retry_ms`).
 * @returns milliseconds
 */
export function backoffMs(attempt: number, random: number, atLeastMs = 0): number {
  const whole = Math.min(AT_MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 20));
  return Math.max(atLeastMs, 0) + whole * (0.5 + random / 2);
}

/**
 * Parses a `Retry-After` header.
 *
 * @returns milliseconds; undefined if the header is missing or invalid
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
