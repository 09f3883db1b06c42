// @vitest-environment node
import { assert, boolean, integer, property, record, string, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Claim } from './seating';
import { entitled, SEATS } from './seating';

const NOW = 1_000_000;
const claim = (id: string, more: Partial<Claim> & { ms?: number } = {}): Claim => ({
  id,
  isVisible: true,
  isSeated: false,
  since: NOW - (more.ms ?? 0),
  ...more,
});
const chosen = (...claims: Claim[]) => [...entitled(claims, NOW)].toSorted();
const sitting = (ms: number, more: Partial<Claim> = {}) =>
  ['s1', 's2', 's3', 's4'].map((id, at) => claim(id, { isSeated: true, ms: ms + at, ...more }));

describe('the seats', () => {
  it('are for everybody while there are enough', () => {
    expect(chosen(claim('a'), claim('b', { isVisible: false }), ...sitting(9_000).slice(0, 2))).toHaveLength(4);
  });

  it('are kept for a turn, however many wait', () => {
    expect(chosen(...sitting(900), claim('a', { ms: 8_000 }))).toEqual(['s1', 's2', 's3', 's4']);
  });

  it('pass from those who sat longest to those who waited longest', () => {
    const [a, b] = [claim('a', { ms: 1_010 }), claim('b', { ms: 1_030 })];
    expect(chosen(...sitting(1_100), a, b)).toEqual(['a', 'b', 's1', 's2']);
    expect(chosen(...sitting(1_100), a, b, claim('c', { ms: 1_020 }))).toEqual(['a', 'b', 'c', 's1']);
  });

  it('stay with those who sit while the others have just stood up', () => {
    expect(chosen(...sitting(5_000), claim('a', { ms: 900 }))).toEqual(['s1', 's2', 's3', 's4']);
  });

  it('belong to a visible page at once, and for as long as hidden ones wait', () => {
    expect(chosen(...sitting(100, { isVisible: false }), claim('a'))).toContain('a');
    const hidden = ['h1', 'h2', 'h3', 'h4'].map((id) => claim(id, { isVisible: false, ms: 5_000 }));
    expect(chosen(claim('a', { isSeated: true, ms: 60_000 }), ...hidden)).toContain('a');
  });

  it('also come to hidden pages, even if visible ones take them all', () => {
    const patient = claim('h', { isVisible: false, ms: 14_000 });
    expect(chosen(...sitting(5_000), patient)).not.toContain('h');
    expect(chosen(...sitting(5_000), { ...patient, since: NOW - 16_000 })).toContain('h');
  });

  it('are given alike in every tab, whatever the order in which it heard of the lines', () => {
    const claims = uniqueArray(
      record({ id: string(), isVisible: boolean(), isSeated: boolean(), since: integer({ min: 0, max: NOW }) }),
      { selector: ({ id }) => id, maxLength: 20 },
    );
    assert(
      property(claims, (given) => {
        const here = chosen(...given);
        expect(here).toHaveLength(Math.min(SEATS, given.length));
        expect(chosen(...given.toReversed())).toEqual(here);
      }),
    );
  });
});
