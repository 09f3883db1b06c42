import { cleanup, render } from '@testing-library/react';
import { afterEach, describe, expect, test } from 'vitest';
import { JsonView } from './JsonView';
import { withArriving } from './jsonPointer';

afterEach(cleanup);

describe('named fields', () => {
  test('are titles and values without braces', () => {
    const value = { reading_time: 5, isTrue: true, steps: ['mix', 'bake'], author: { name: 'Ada' }, none: null };
    const { container } = render(<JsonView value={value} arriving={{}} />);
    expect([...container.querySelectorAll('dt')].map((dt) => dt.textContent)).toEqual([
      'Reading time',
      'Is true',
      'Steps',
      'Author',
      'Name',
      'None',
    ]);
    expect([...container.querySelectorAll('.fields-value')].map((p) => p.textContent)).toEqual([
      '5',
      'Yes',
      'mix',
      'bake',
      'Ada',
      '–',
    ]);
  });

  test('a growing string is shown in its place, with the caret', () => {
    const { container } = render(
      <JsonView value={{ title: 'Bread', steps: ['mix'] }} arriving={{ '/steps/1': 'kne' }} />,
    );
    expect(container.querySelector('ol')?.textContent).toBe('mixkne');
    expect(container.querySelector('[data-caret]')?.textContent).toBe('kne');
  });

  test('take direction and language from their words; lists as a whole', () => {
    const { container } = render(<JsonView value={{ name: 'פנקייק', story: 'Once upon a time.', steps: ['ערבב', 'Bake'] }} arriving={{}} />);
    const writing = [...container.querySelectorAll<HTMLElement>('p, ol')].map(({ tagName, dir, lang }) => `${tagName} ${dir} ${lang}`);
    expect(writing).toEqual(['P rtl he', 'P ltr ', 'OL rtl he', 'P rtl he', 'P ltr ']);
  });

  test('markup in a value is text', () => {
    const { container } = render(<JsonView value={{ a: '<img src=x onerror=1>' }} arriving={{}} />);
    expect(container.querySelector('img')).toBeNull();
    expect(container.textContent).toContain('<img src=x onerror=1>');
  });
});

describe('withArriving', () => {
  test('creates missing parents, and does not mutate the value', () => {
    const value = { title: 'Bread' };
    expect(withArriving(value, { '/notes/0/a~1b': 'x' })).toEqual({
      title: 'Bread',
      notes: [{ 'a/b': 'x' }],
    });
    expect(value).toEqual({ title: 'Bread' });
  });

  test('keeps the order of the members', () => {
    expect(Object.keys(withArriving({ a: '', b: '' }, { '/a': 'x' }) as object)).toEqual(['a', 'b']);
  });

  test('a pointer to a prototype, or far beyond a list, does no harm', () => {
    withArriving({}, { '/__proto__/hacked': 'x' });
    expect('hacked' in {}).toBe(false);
    expect(withArriving({ list: ['a'] }, { '/list/999999999': 'x' })).toEqual({ list: ['a', 'x'] });
  });
});
