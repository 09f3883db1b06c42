/** How long to wait before the next try. */

const FIRST_MS = 300;
const AT_MOST_MS = 15_000;

/**
 * A wait that doubles from try to try, anywhere between half of it and all of it, so that the
 * clients that one restart cut off do not all come back at once.
 *
 * @param attempt - 0 for the first try after a loss.
 * @param random - from [0, 1).
 * @param atLeastMs - what the server asked for (`Retry-After`, `retry_ms`).
 * @returns milliseconds
 */
export function backoffMs(attempt: number, random: number, atLeastMs = 0): number {
  const whole = Math.min(AT_MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 20));
  return Math.max(atLeastMs, 0) + whole * (0.5 + random / 2);
}

/**
 * What a `Retry-After` header asks for.
 *
 * @returns milliseconds; undefined when there is none, or none that can be read
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
