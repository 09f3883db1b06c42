/** How long a run goes on trying without an event, and what it says when it gives up. */
import type { Access } from './access';
import type { StreamProblem } from './types';

/** A question that the server has not taken by then is sent only if the user asks again, in ms. */
const SEND_WITHIN_MS = 600_000;
/** Consecutive attempts to reach another origin that has never answered: about 5 s. */
const UNPROVEN_ATTEMPTS = 4;

export interface Patience {
  /** Consecutive attempts to reach an existing stream. */
  maxAttempts: number;
  /** The same while the server has not taken the question. */
  maxStartAttempts: number;
  access: Access;
}

/**
 * Whether no further attempt follows.
 *
 * @param attempt - attempts without an event, before this one
 * @param isUnsent - no event has come yet
 * @param reason - why the last attempt failed, if somebody said so
 */
export function isSpent(attempt: number, isUnsent: boolean, patience: Patience, reason?: StreamProblem): boolean {
  const most = isUnsent ? patience.maxStartAttempts : patience.maxAttempts;
  if (!patience.access.isUnproven) return attempt >= most;
  // Nothing was begun there, so the user is told at once. A token that can't be had says nothing of
  // the server.
  return (isUnsent && !reason) || attempt >= Math.min(most, UNPROVEN_ATTEMPTS);
}

/**
 * Whether a question has waited for too long. Timers stand still while a computer sleeps, so a number
 * of attempts bounds no time.
 */
export function isTooOld(waitedMs: number): boolean {
  return waitedMs > SEND_WITHIN_MS;
}

export function lostProblem(isUnsent: boolean, { access }: Patience): StreamProblem {
  if (access.isUnproven) {
    // The browser does not say which of the two it is.
    const message = 'The server can’t be reached, or it doesn’t accept requests from this site.';
    return { code: 'unreachable', message, isRetryable: true };
  }
  const message = isUnsent
    ? 'The server can’t be reached.'
    : 'The connection was lost. The answer may still be running.';
  return { code: 'connection_lost', message, isRetryable: true };
}
