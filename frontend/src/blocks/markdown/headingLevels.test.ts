import { describe, expect, test } from 'vitest';
import { headingLevels } from './headingLevels';

describe('headingLevels', () => {
  test('lists each level once, in order', () => {
    expect(headingLevels('### a\n\n# b\n\n### c')).toBe('13');
    expect(headingLevels('no headings, #not one')).toBe('');
  });

  test('a comment in code is not a heading, whether the fence is open or closed', () => {
    expect(headingLevels('## a\n```sh\n# b\n```\n#### c')).toBe('24');
    expect(headingLevels('```sh\n# b')).toBe('');
    expect(headingLevels('````\n```\n# b\n````\n## c')).toBe('2');
  });
});
