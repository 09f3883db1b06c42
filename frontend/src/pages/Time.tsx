/** A time that stays accurate while the page is open. */
import { useEffect, useState } from 'react';

import { clockWords, dayWords, sinceWords, wholeWords } from './time';

const STEP_MS = 20_000;

/** The current time, updated three times a minute. */
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
  /** For use below the heading of a day: shows only the clock, except for today. */
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
