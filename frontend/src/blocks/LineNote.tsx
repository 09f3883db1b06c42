/** A note about the connection, or about an end that is not a failure. */
import { use, useEffect, useEffectEvent, useRef } from 'react';
import { transportName } from './Facts';
import { lostWords, reasonOf } from './lostWords';
import { isLineLost, sentence } from './ProblemNote';
import type { ShownStream } from './shownStream';
import { CheckConnectionContext, useSite } from './site';
import { isUnreached } from './unreached';
import { useSecondsUntil } from './useSeconds';

export function LineNote({ stream }: { stream: ShownStream<unknown> }) {
  useReturn(stream);
  const { transport } = stream;
  if (stream.isLoading && stream.status === 'reconnecting') return <LostNote stream={stream} />;
  return (
    <>
      {stream.finishReason === 'length' && (
        <p className="note">
          <b>This answer hit the length limit.</b>
        </p>
      )}
      {stream.finishReason === 'repetition' && (
        <p className="note">
          <b>The model began to repeat itself.</b> The answer was stopped there.
        </p>
      )}
      {stream.finishReason === 'cancelled' && stream.streamId === undefined && stream.continues === undefined && (
        <p className="note">
          <b>Your question wasn’t sent.</b> Choose “Ask something else” to edit it.
        </p>
      )}
      {stream.isFallback && transport && <p className="note">Connected over {transportName(transport)} instead.</p>}
    </>
  );
}

/** Says what is known: why there is no connection, whether an answer exists, and what happens next. */
function LostNote({ stream }: { stream: ShownStream<unknown> }) {
  const { connection } = useSite();
  return (
    <p className="note">
      <b>{sentence(lostWords(stream, connection))}</b> <NextStep stream={stream} />
    </p>
  );
}

/** What is kept, and what will happen to it: a question, or the wish for the rest of an answer. */
const QUESTION_WORDS = ['Your question is kept', 'It will be sent'] as const;
const REST_WORDS = ['What is here is kept', 'The rest will be asked for'] as const;

function NextStep({ stream }: { stream: ShownStream<unknown> }) {
  const { connection } = useSite();
  const { nextTryAt } = stream;
  const nextTry = nextTryAt === undefined ? 'now' : <Countdown key={nextTryAt} until={nextTryAt} />;
  if (stream.streamId === undefined) {
    const [kept, sent] = stream.continues === undefined ? QUESTION_WORDS : REST_WORDS;
    if (connection === 'offline') return `${kept}. ${sent} when you’re back online.`;
    const when = connection === 'down' ? `. ${sent} as soon as the server answers` : '';
    return (
      <>
        {kept}
        {when}; trying again {nextTry}.
      </>
    );
  }
  if (connection === 'offline') return 'This answer will pick up where it left off when you’re back online.';
  if (reasonOf(stream, connection)) return <>Reconnecting {nextTry}.</>;
  return <>Reconnecting {nextTry}… it will pick up where it left off.</>;
}

function Countdown({ until }: { until: number }) {
  const seconds = useSecondsUntil(until);
  return seconds > 0 ? `in ${seconds} s` : 'now';
}

/** Tells the page about a loss and a return, and returns as soon as the page knows that it can. */
function useReturn(stream: ShownStream<unknown>): void {
  const { connection } = useSite();
  const check = use(CheckConnectionContext);
  const { lineProblem } = stream;
  const isReconnecting = stream.isLoading && stream.status === 'reconnecting';
  const isLost = isReconnecting && (!lineProblem || isUnreached(lineProblem));
  const wasLost = useRef(false);
  useEffect(() => {
    if (isLost !== wasLost.current) check();
    wasLost.current = isLost;
  }, [isLost, check]);

  const comeBack = useEffectEvent(() => {
    if (isReconnecting) stream.reconnectNow();
    else if (isLineLost(stream)) void stream.resume();
  });
  const before = useRef(connection);
  useEffect(() => {
    if (connection === 'up' && before.current !== 'up') comeBack();
    before.current = connection;
  }, [connection]);
}
