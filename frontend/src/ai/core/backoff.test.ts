// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { backoffMs, retryAfterMs } from './backoff';

describe('backoffMs', () => {
  it('doubles from 300 ms up to 15 s', () => {
    const longest = [0, 1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffMs(attempt, 1));
    expect(longest).toEqual([300, 600, 1200, 2400, 4800, 9600, 15_000, 15_000]);
    expect(backoffMs(10_000, 1)).toBe(15_000);
  });

  it('lies anywhere between half and all of the full delay', () => {
    expect([backoffMs(1, 0), backoffMs(1, 0.5), backoffMs(1, 0.999)]).toEqual([
      300,
      450,
      expect.closeTo(600, 0),
    ]);
  });

  it('is added to what the server asks for', () => {
    expect(backoffMs(0, 0, 5000)).toBe(5150);
    expect(backoffMs(0, 0, -5000)).toBe(150);
  });
});

describe('retryAfterMs', () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0);

  it.each([
    ['7', 7000],
    ['0', 0],
    ['1.5', 1500],
    ['-3', 0],
    ['Thu, 01 Jan 2026 12:00:09 GMT', 9000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [' ', undefined],
    [null, undefined],
  ])('reads %j as %s', (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms);
  });
});
