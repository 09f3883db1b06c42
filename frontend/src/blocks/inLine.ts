/** A place in line, in words. */
import { useState } from 'react';

const ORDINAL = new Intl.PluralRules('en', { type: 'ordinal' });
const ENDINGS: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = { one: 'st', two: 'nd', few: 'rd' };

/** "1st", "22nd", "113th". */
export function ordinal(count: number): string {
  return `${count.toLocaleString('en')}${ENDINGS[ORDINAL.select(count)] ?? 'th'}`;
}

/** "Waiting for a free place – you are 3rd in line". */
export function inLineWords(place: number): string {
  return `Waiting for a free place – you are ${place <= 1 ? 'next' : ordinal(place)} in line`;
}

/**
 * Returns the place to announce: the first one, and then only those that are at most half as far
 * back. A line of a hundred is announced seven times.
 */
export function useToldPlace(place: number | null): number | null {
  const [told, setTold] = useState(place);
  const next = place === null || told === null || place <= told / 2 || place > told ? place : told;
  if (next !== told) setTold(next);
  return next;
}
