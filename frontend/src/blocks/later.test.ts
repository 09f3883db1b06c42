import { expect, test } from 'vitest';

import { isUselessEarlier, reasonWords, spokenWhen, whenWords } from './later';

// A Thursday, in the reader's own time zone.
const at = (day: number, hour: number, minute = 0, second = 0) => new Date(2026, 0, day, hour, minute, second).getTime();
const NOW = at(1, 14);
const SECOND = 1000;
const MINUTE = 60 * SECOND;

test.each([
  [NOW - SECOND, 'in 0 s'],
  [NOW + 1, 'in 1 s'],
  [NOW + 24 * SECOND, 'in 24 s'],
  [NOW + 90 * SECOND, 'in 90 s'],
  [NOW + 91 * SECOND, 'in 2 minutes'],
  [NOW + 5 * MINUTE, 'in 5 minutes'],
  [NOW + 120 * MINUTE, 'in 120 minutes'],
  [at(1, 17, 5), 'at 17:05'],
  [at(1, 17, 5, 1), 'at 17:05'],
  [at(1, 17, 4, 59), 'at 17:05'],
  [at(2, 9), 'tomorrow at 9:00'],
  [at(1, 23, 59, 30), 'tomorrow at 0:00'],
  [at(3, 9), 'on Saturday at 9:00'],
  [at(7, 0), 'on Wednesday at 0:00'],
  [at(8, 9), 'on 8 January at 9:00'],
])('a wait until %d is told as "%s"', (moment, words) => {
  expect(whenWords(moment, NOW)).toBe(words);
});

test('seconds are spelled out where they are spoken', () => {
  expect(spokenWhen(NOW + 24 * SECOND, NOW)).toBe('in 24 seconds');
  expect(spokenWhen(NOW + SECOND, NOW)).toBe('in 1 second');
  expect(spokenWhen(NOW + 5 * MINUTE, NOW)).toBe('in 5 minutes');
});

test('the server’s own waiting time is left out, because the page counts it down', () => {
  const of = (message: string) => reasonWords({ code: 'rate_limited', message, isRetryable: true });
  expect(of('You started 30 answers within a minute. Please wait 24 seconds.')).toBe(
    'You started 30 answers within a minute.',
  );
  expect(of('You started 1 answer within a minute. Please wait 1 second.')).toBe('You started 1 answer within a minute.');
  expect(of('10 answers were started from your network within an hour. Please wait 5 minutes.')).toBe(
    '10 answers were started from your network within an hour.',
  );
  expect(of('You have used your 1,000 tokens for today. The limit resets in 5 hours.')).toBe(
    'You have used your 1,000 tokens for today.',
  );
  expect(of('Please wait until it is finished.')).toBe('Please wait until it is finished.');
});

test('only for a place that may become free does an earlier try make sense', () => {
  const codes = ['rate_limited', 'quota_exceeded', 'too_many_streams', 'over_capacity', 'shutting_down'];
  const useless = codes.filter((code) => isUselessEarlier({ code, message: '', isRetryable: true }));
  expect(useless).toEqual(['rate_limited', 'quota_exceeded']);
});
