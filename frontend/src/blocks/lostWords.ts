import type { ShownStream } from './shownStream';
import type { Connection } from './site';
import { isUnreached } from './unreached';

/** Why there is no connection, as far as that is known; without a full stop. */
export function lostWords(
  { streamId, lineProblem }: Pick<ShownStream<unknown>, 'streamId' | 'lineProblem'>,
  connection: Connection | undefined,
): string {
  if (lineProblem && !isUnreached(lineProblem)) return lineProblem.message;
  if (connection === 'offline') return 'You’re offline';
  if (streamId !== undefined) return 'Connection lost';
  return connection === 'down' ? 'The server can’t be reached' : 'The server didn’t answer';
}
