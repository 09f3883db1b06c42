import { describe, expect, test } from 'vitest';
import { highlight } from './highlight';

/** The highlighted pieces, as "kind:text". */
function marks(code: string, language: string): string[] {
  return highlight(code, language)
    .filter(({ kind }) => kind !== undefined)
    .map(({ kind, text }) => `${kind}:${text}`);
}

describe('highlight', () => {
  test('distinguishes comments, strings, numbers and keywords', () => {
    expect(marks('const a = 42; // not "this"\nlet b = `x // y`;', 'ts')).toEqual([
      'keyword:const',
      'number:42',
      'comment:// not "this"',
      'keyword:let',
      'string:`x // y`',
    ]);
    expect(marks('def f():\n    """doc\n    return"""\n    return 1.5e3', 'python')).toEqual([
      'keyword:def',
      'string:"""doc\n    return"""',
      'keyword:return',
      'number:1.5e3',
    ]);
    expect(marks('SELECT x -- all\nFROM t', 'SQL')).toEqual([
      'keyword:SELECT',
      'comment:-- all',
      'keyword:FROM',
    ]);
    expect(marks('<a href="x">if</a><!-- c -->', 'html')).toEqual([
      'keyword:a',
      'string:"x"',
      'keyword:a',
      'comment:<!-- c -->',
    ]);
  });

  test('a word inside another is not a keyword', () => {
    expect(marks('format(iffy)', 'js')).toEqual([]);
  });

  test.each(['js', 'c', 'python', 'bash', 'sql', 'html', 'css', 'brainfuck'])(
    'loses and doubles nothing of %s',
    (language) => {
      const code = 'a "b\\" c\n# d \'e\n/* f */ -- g <h i="j"> `k` 0xff // l\n<!-- m';
      expect(highlight(code, language).map(({ text }) => text).join('')).toBe(code);
    },
  );

  test('the time of hostile code grows no faster than its length', () => {
    const once = (length: number, times: number): number => {
      const began = performance.now();
      for (const part of ['"\\', '/*', '<', 'a-']) {
        const code = part.repeat(length);
        for (const language of ['js', 'python', 'html', 'css', 'bash', 'sql']) {
          for (let time = 0; time < times; time += 1) highlight(code, language);
        }
      }
      return performance.now() - began;
    };
    // The same characters in one code or in eight: a quadratic search takes eight times as long for
    // the one. Both are measured in turn, and the quickest of six counts: other processes use the
    // machine, too.
    const pairs = Array.from({ length: 6 }, () => [once(14_000, 1), once(1_750, 8)] as const);
    const whole = Math.min(...pairs.map(([one]) => one));
    const parts = Math.min(...pairs.map(([, eight]) => eight));
    expect(whole / parts).toBeLessThan(4);
  });
});
