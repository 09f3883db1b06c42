/** An answer that several streams wrote: each continues the one before. */
import { useCallback, useMemo, useState } from 'react';
import type { Item, StreamResource } from '@liveai/client';

/** A stream whose answer another one continues. */
export interface EarlierAnswer {
  streamId: string;
  /** The stream that this one continues. */
  continues: string | undefined;
  text: string;
  items: readonly Item[];
}

export const NONE_EARLIER: readonly EarlierAnswer[] = [];

/**
 * Returns the answers before a stream, the oldest first, and a function that keeps one to be
 * continued here.
 *
 * @param continues - the stream that the shown one continues.
 * @param stored - the earlier streams, if the page has loaded them.
 */
export function useEarlier(
  continues: string | undefined,
  stored: readonly StreamResource[] | undefined,
): [readonly EarlierAnswer[], (answer: EarlierAnswer) => void] {
  const [kept, setKept] = useState<ReadonlyMap<string, EarlierAnswer>>(new Map());
  const keep = useCallback(
    (answer: EarlierAnswer) => setKept((now) => new Map(now).set(answer.streamId, answer)),
    [],
  );
  const earlier = useMemo(() => {
    const known = new Map([...(stored ?? []).map(answerOf), ...kept]);
    return continues === undefined ? NONE_EARLIER : chainTo(continues, known);
  }, [continues, stored, kept]);
  return [earlier, keep];
}

/** Whether an earlier stream of the answer was deleted, so that its beginning is missing. */
export function isBeginningGone(continues: string | undefined, [first]: readonly EarlierAnswer[]): boolean {
  return (first ? first.continues : continues) !== undefined;
}

function answerOf({ stream_id: streamId, continues, text, items }: StreamResource): [string, EarlierAnswer] {
  return [streamId, { streamId, continues: continues ?? undefined, text, items: items as readonly Item[] }];
}

function chainTo(streamId: string, known: ReadonlyMap<string, EarlierAnswer>): EarlierAnswer[] {
  const chain: EarlierAnswer[] = [];
  for (let answer = known.get(streamId); answer && !chain.includes(answer); ) {
    chain.unshift(answer);
    answer = answer.continues === undefined ? undefined : known.get(answer.continues);
  }
  return chain;
}
