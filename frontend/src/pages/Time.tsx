/** A time that stays true while the page is open. */
import { useEffect, useState } from 'react';

import { clockWords, dayWords, sinceWords, wholeWords } from './time';

const STEP_MS = 20_000;

/** The time of day, renewed three times a minute. */
export function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), STEP_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export interface TimeProps {
  /** RFC 3339. */
  at: string;
  now: Date;
  /** Under a day's own heading: the clock alone, of any day but today. */
  isUnderDay?: boolean;
}

export function Time({ at, now, isUnderDay = false }: TimeProps) {
  const then = new Date(at);
  const isClock = isUnderDay && dayWords(then, now) !== 'Today';
  return (
    <time dateTime={at} title={wholeWords(then)}>
      {isClock ? clockWords(then) : sinceWords(then, now)}
    </time>
  );
}
