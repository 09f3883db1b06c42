/** How long a run goes on trying without an event, and what it says when it gives up. */
import type { StreamProblem } from './types';

/** A question that the server has not taken by then is sent only if the user asks again, in ms. */
const SEND_WITHIN_MS = 600_000;

export interface Patience {
  /** Consecutive attempts to reach an existing stream. */
  maxAttempts: number;
  /** The same while the server has not taken the question. */
  maxStartAttempts: number;
}

export function isSpent(attempt: number, isUnsent: boolean, patience: Patience): boolean {
  return attempt >= (isUnsent ? patience.maxStartAttempts : patience.maxAttempts);
}

/**
 * Whether a question has waited for too long. Timers stand still while a computer sleeps, so a number
 * of attempts bounds no time.
 */
export function isTooOld(waitedMs: number): boolean {
  return waitedMs > SEND_WITHIN_MS;
}

export function lostProblem(isUnsent: boolean): StreamProblem {
  const message = isUnsent
    ? 'The server can’t be reached.'
    : 'The connection was lost. The answer may still be running.';
  return { code: 'connection_lost', message, isRetryable: true };
}
