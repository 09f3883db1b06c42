import type { StreamProblem } from '@liveai/client';

/** Whether the server itself did not answer: nobody did, or a proxy in its place. */
export function isUnreached({ code }: StreamProblem): boolean {
  return code === 'unreachable' || code === 'connection_lost' || /^http_5\d\d$/u.test(code);
}
