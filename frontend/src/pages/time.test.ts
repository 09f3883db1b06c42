import { describe, expect, it } from 'vitest';

import { clockWords, dayWords, sinceWords } from './time';

// A Thursday.
const now = new Date(2026, 2, 12, 15, 30, 0);
const at = (...parts: [number, number, number, number, number]) => new Date(...parts);

describe('how long ago something was', () => {
  it.each([
    ['now', new Date(now.getTime() - 59_999)],
    ['1 min ago', at(2026, 2, 12, 15, 29)],
    ['59 min ago', at(2026, 2, 12, 14, 31)],
    ['14:30', at(2026, 2, 12, 14, 30)],
    ['14:02', at(2026, 2, 12, 14, 2)],
    ['yesterday', at(2026, 2, 11, 0, 1)],
    ['Friday', at(2026, 2, 6, 23, 59)],
    ['5 Mar', at(2026, 2, 5, 12, 0)],
    ['31 Dec 2025', at(2025, 11, 31, 12, 0)],
  ])('is written as “%s”', (words, then) => {
    expect(sinceWords(then, now)).toBe(words);
  });

  it('is now for a server whose clock is ahead', () => {
    expect(sinceWords(at(2026, 2, 12, 15, 31), now)).toBe('now');
  });

  it('is minutes, not yesterday, just after midnight', () => {
    expect(sinceWords(at(2026, 2, 11, 23, 50), at(2026, 2, 12, 0, 5))).toBe('15 min ago');
  });
});

describe('a day', () => {
  it.each([
    ['Today', at(2026, 2, 12, 0, 0)],
    ['Yesterday', at(2026, 2, 11, 23, 59)],
    ['Sunday', at(2026, 2, 8, 12, 0)],
    ['1 Mar', at(2026, 2, 1, 12, 0)],
  ])('is called “%s”', (words, then) => {
    expect(dayWords(then, now)).toBe(words);
  });

  it('has 24 hours on the clock', () => {
    expect(clockWords(at(2026, 2, 8, 9, 5))).toBe('09:05');
  });
});
