/** A note about the connection, or about an end that is not a failure. */
import { transportName } from './Facts';
import { sentence } from './ProblemNote';
import type { ShownStream } from './shownStream';
import { useSecondsUntil } from './useSeconds';

export function LineNote({ stream }: { stream: ShownStream<unknown> }) {
  const { transport, nextTryAt, lineProblem } = stream;
  const nextTry = nextTryAt === undefined ? 'now' : <Countdown key={nextTryAt} until={nextTryAt} />;
  if (stream.isLoading && stream.status === 'reconnecting' && lineProblem) {
    return (
      <p className="note">
        <b>{sentence(lineProblem.message)}</b> Trying again {nextTry}.
      </p>
    );
  }
  if (stream.isLoading && stream.status === 'reconnecting') {
    return (
      <p className="note">
        {stream.streamId === undefined ? (
          <>
            <b>The server can’t be reached.</b> Your question will be sent as soon as it can be; trying again{' '}
            {nextTry}.
          </>
        ) : (
          <>
            <b>Connection lost.</b> The answer is still being written; trying again {nextTry}, from this very word.
          </>
        )}
      </p>
    );
  }
  return (
    <>
      {stream.finishReason === 'length' && (
        <p className="note">
          <b>Cut at the length limit.</b> The model had more to say than this block allows.
        </p>
      )}
      {stream.finishReason === 'repetition' && (
        <p className="note">
          <b>The model began to repeat itself.</b> The answer was stopped there.
        </p>
      )}
      {stream.isFallback && transport && (
        <p className="note">
          {transportName(transport === 'sse' ? 'websocket' : 'sse')} did not connect; this comes over{' '}
          {transportName(transport)}.
        </p>
      )}
    </>
  );
}

function Countdown({ until }: { until: number }) {
  const seconds = useSecondsUntil(until);
  return seconds > 0 ? `in ${seconds} s` : 'now';
}
