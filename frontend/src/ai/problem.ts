/** What went wrong before or beside a stream, and whether it is worth another try. */
import { retryAfterMs } from './core/backoff';
import type { StreamProblem, TransportName } from './types';

const WAIT_AT_MOST_MS = 30_000;

/** What an answer of the server that is no success means for the line that asked. */
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

/** The problem that an HTTP answer describes, also one that is not ours (a proxy's page). */
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

/** What to do about an HTTP answer other than 200 and 204. */
export async function refusalOf(response: Response, nowMs: number): Promise<Refusal> {
  const [problem, body] = await problemOf(response, nowMs);
  if (problem.code === 'transport_not_selected' && isTransport(body.selected)) {
    return { kind: 'elsewhere', problem, transport: body.selected };
  }
  if (problem.code === 'csrf_failed') return { kind: 'csrf', problem };
  return judged(problem);
}

/** What to do about a `refused` frame of a WebSocket. */
export function refusalOfFrame(frame: {
  code?: unknown;
  message?: unknown;
  retry_after_ms?: unknown;
}): Refusal {
  const code = typeof frame.code === 'string' ? frame.code : 'internal';
  const problem: StreamProblem = {
    code,
    message: typeof frame.message === 'string' ? frame.message : 'The server refused.',
    isRetryable: LATER.has(code),
  };
  if (typeof frame.retry_after_ms === 'number') problem.retryAfterMs = frame.retry_after_ms;
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
  'internal',
]);

function judged(problem: StreamProblem): Refusal {
  const waitMs = problem.retryAfterMs;
  // A person who is told to come back in an hour should hear that, not wait for it.
  if (!problem.isRetryable || (waitMs ?? 0) > WAIT_AT_MOST_MS) return { kind: 'final', problem };
  return { kind: 'later', problem, waitMs };
}

function isTransport(value: unknown): value is TransportName {
  return value === 'sse' || value === 'websocket';
}
