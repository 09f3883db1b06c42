/** What is said of a connection that is lost. */
import type { StreamProblem } from '@liveai/client';
import { reasonWords } from './later';
import type { ShownStream } from './shownStream';
import type { Connection } from './site';
import { isUnreached } from './unreached';

type Lost = Pick<ShownStream<unknown>, 'streamId' | 'lineProblem'>;

/** The server's own reason. It is out of date once the server can't be reached. */
export function reasonOf({ lineProblem }: Lost, connection: Connection | undefined): StreamProblem | undefined {
  const isAway = connection === 'offline' || connection === 'down';
  return lineProblem && !isAway && !isUnreached(lineProblem) ? lineProblem : undefined;
}

/** Why there is no connection, as far as that is known. */
export function lostWords(stream: Lost, connection: Connection | undefined): string {
  const reason = reasonOf(stream, connection);
  if (reason) return reasonWords(reason);
  if (connection === 'offline') return 'You’re offline.';
  if (stream.streamId !== undefined) return 'Connection lost.';
  return connection === 'down' ? 'The server can’t be reached.' : 'The server didn’t answer.';
}
