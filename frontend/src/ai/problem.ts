/** Turns the server's refusals into problems, and decides whether to retry. */
import { retryAfterMs } from './core/backoff';
import type { StreamProblem, TransportName } from './types';

const WAIT_AT_MOST_MS = 30_000;

/** A failed call. `httpStatus` is 0 if the server could not be reached. */
export class ApiError extends Error {
  readonly problem: StreamProblem;
  readonly httpStatus: number;

  constructor(problem: StreamProblem, httpStatus: number) {
    super(problem.message);
    this.name = 'ApiError';
    this.problem = problem;
    this.httpStatus = httpStatus;
  }
}

/** What an unsuccessful response means for the connection that made the request. */
export type Refusal =
  | { kind: 'final'; problem: StreamProblem }
  | { kind: 'later'; problem: StreamProblem; waitMs: number | undefined }
  | { kind: 'elsewhere'; problem: StreamProblem; transport: TransportName }
  | { kind: 'csrf'; problem: StreamProblem };

interface ProblemBody {
  code?: unknown;
  detail?: unknown;
  title?: unknown;
  field?: unknown;
  selected?: unknown;
}

/**
 * Returns the problem that an HTTP response describes. Also handles foreign responses, such as a
 * proxy's error page.
 */
export async function problemOf(response: Response, nowMs: number): Promise<[StreamProblem, ProblemBody]> {
  const body = await bodyOf(response);
  const code = typeof body.code === 'string' ? body.code : `http_${response.status}`;
  const detail = [body.detail, body.title].find((words) => typeof words === 'string');
  const waitMs = retryAfterMs(response.headers.get('Retry-After'), nowMs);
  const problem: StreamProblem = {
    code,
    message: (detail as string | undefined) ?? `The server answered ${response.status}.`,
    isRetryable: response.status === 429 || response.status >= 500,
  };
  if (waitMs !== undefined) problem.retryAfterMs = waitMs;
  if (typeof body.field === 'string') problem.field = body.field;
  return [problem, body];
}

async function bodyOf(response: Response): Promise<ProblemBody> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    return {};
  }
}

/** Decides how to react to an HTTP response other than 200 and 204. */
export async function refusalOf(response: Response, nowMs: number): Promise<Refusal> {
  const [problem, body] = await problemOf(response, nowMs);
  if (problem.code === 'transport_not_selected' && isTransport(body.selected)) {
    return { kind: 'elsewhere', problem, transport: body.selected };
  }
  if (problem.code === 'csrf_failed') return { kind: 'csrf', problem };
  return judged(problem);
}

/** Decides how to react to a `refused` frame on a WebSocket. */
export function refusalOfFrame(frame: {
  code?: unknown;
  message?: unknown;
  retry_after_ms?: unknown;
  field?: unknown;
}): Refusal {
  const code = typeof frame.code === 'string' ? frame.code : 'internal';
  const problem: StreamProblem = {
    code,
    message: typeof frame.message === 'string' ? frame.message : 'The server refused.',
    isRetryable: LATER.has(code),
  };
  if (typeof frame.retry_after_ms === 'number') problem.retryAfterMs = frame.retry_after_ms;
  if (typeof frame.field === 'string') problem.field = frame.field;
  if (code === 'transport_not_selected') return { kind: 'elsewhere', problem, transport: 'sse' };
  return judged(problem);
}

const LATER = new Set([
  'rate_limited',
  'too_many_streams',
  'quota_exceeded',
  'shutting_down',
  'store_unavailable',
  'over_capacity',
  'paused',
  'internal',
]);

/** Decides how to react to any other refusal. */
export function judged(problem: StreamProblem): Refusal {
  const waitMs = problem.retryAfterMs;
  // A wait of an hour is reported to the user rather than spent waiting, and so is one until somebody
  // turns a switch.
  if (!problem.isRetryable || problem.code === 'paused' || (waitMs ?? 0) > WAIT_AT_MOST_MS) return { kind: 'final', problem };
  return { kind: 'later', problem, waitMs };
}

function isTransport(value: unknown): value is TransportName {
  return value === 'sse' || value === 'websocket';
}
