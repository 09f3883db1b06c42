/** Checks that every word of the model is on the page, both during writing and afterwards. */
import { cleanup, render } from '@testing-library/react';
import { array, assert, constantFrom, double, integer, property, record, tuple } from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { RichMarkdown } from './RichMarkdown';

afterEach(cleanup);

function shown(text: string, isWriting: boolean): string {
  const { container, unmount } = render(<RichMarkdown text={text} isWriting={isWriting} />);
  const { textContent } = container;
  unmount();
  return textContent;
}

/** Words are numbered (`w7x`), so that none is mistaken for another. They are of any script. */
const LETTERS = ['w', '水', 'か', '한', 'م', 'ש', 'ท', 'ж', 'क', '𝛼'];
const WORD = /[w水か한مשทжक𝛼]\d+x/gu;

function lostWords(source: string, page: string): string[] {
  const there = new Set(page.match(WORD));
  return (source.match(WORD) ?? []).filter((word) => !there.has(word));
}

const FINISHED = {
  'a half-open interval': 'x is taken from the half-open interval [0, 1)',
  'an interval with text behind it': 'x is taken from [0, 1) and y is not.',
  'French intervals': 'Write ]a, b[ for the open interval, and [a, b[ for the other.',
  'a regular expression': 'The class [^abc matches nothing',
  'an open star': '*without tax, see below',
  'a product': 'a *b and c',
  'an underscore': '_private is a name',
  'a backtick': 'Use a backtick (`) to quote',
  'open tildes': 'About ~~5 of them',
  'open bold': 'This is **bold and was cut',
  'two dollars': 'Pay $$ for it',
  'a comparison': 'a < b and c <d',
  'a tag at the end': 'Use the tag <div',
  'a tag in the middle': 'Use <details> or a <T> type, List<String>, and more.',
  'pointers': 'char **argv and int *p',
  'open brackets': 'see [1] and [2',
  'an open image': 'a picture ![cat',
  'half a link': 'See [the docs](https://exa',
  'a face': 'Good luck (*^_^*) and _o/',
  'products and powers': '2*3*4 = 24, 2**3**4, a*b*c, (a)*b*(c) and f(x)*g*(y)',
  'powers of calls and keyword arguments': 'f(x)**n + g(y)**m, f(**a,**b), "**a" and "**b"',
  'names with underscores': 'Call __init__ and __main__ and _private',
  'prices': 'It costs $5 or $10 and $, from US$5 to $6–$7',
  'shell variables': 'Set $HOME/$USER and $PATH',
  'ranges': 'It takes ~5 to ~10 minutes; 5~7U and 100~200 times',
  'an index and a call': 'Call handlers[name](event) and f[x](y "z").',
  'an unknown command': 'See $\\foo$ and \\(\\bar\\)',
} as const;

describe('a finished text', () => {
  test.each(Object.entries(FINISHED))('with %s is shown as written', (_, text) => {
    expect(shown(text, false).trim()).toBe(text);
  });

  test.each(['A list of things\n-', 'Total\n=', '> Total\n> -'])('%j has no heading', (text) => {
    const { container } = render(<RichMarkdown text={text} isWriting={false} />);
    expect(container.querySelector('h2')).toBeNull();
    expect(container.textContent.trim()).toMatch(/\w\n[-=]$/u);
  });

  test('emphasis is still emphasis', () => {
    const { container } = render(<RichMarkdown text={'e**X**tensible, *a* and **b**(c), __Bold__, *✓ yes*'} isWriting={false} />);
    expect([...container.querySelectorAll('em, strong')].map(({ textContent }) => textContent)).toEqual(['X', 'a', 'b', 'Bold', '✓ yes']);
  });

  test('shows a definition that leads to no address', () => {
    expect(shown('See [1] and [the book].\n\n[1]: Smith2020\n\n[the book]: <Jones 1999>', false)).toBe(
      'See [1] and [the book].\n[1]: Smith2020\n[the book]: <Jones 1999>',
    );
  });

  test('keeps what follows a tag or an interval', () => {
    const text = 'That is all.\n\nIn [0, 1) or a<b.\n\nUse <div for it.\n\nThe end.';
    expect(shown(text, false)).toBe('That is all.In [0, 1) or a<b.Use <div for it.The end.');
  });
});

describe('a text that is being written', () => {
  test.each([
    ['x is taken from [0, 1', 'x is taken from [0, 1'],
    ['In [0, 1) and a<b and <d', 'In [0, 1) and a<b and <d'],
    ['See [the docs](https://exa', 'See the docs'],
    ['See [the docs', 'See [the docs'],
    ['Some **bold', 'Some bold'],
    ['Some `code', 'Some code'],
  ])('%s', (text, page) => {
    expect(shown(text, true)).toBe(page);
  });
});

// --- generated markdown ----------------------------------------------------------

/** Pieces around `@`, which stands for a word. */
const INLINE = [
  ...['@', '@ @', '**@**', '*@*', '_@_', '__@__', '***@ @***', '~~@~~', '`@`', '``@ ` @``', '[@]', '[@)', '[@, @)', '[@](@)', '[@](@ "@")', '[](@)'],
  ...[']@, @[', '(@', '[@](https://a.test/b)', '[@](https://a.test "@")', '![@](https://a.test/c.png "@")', '![](https://a.test "@")', '![@](https://a.test/c.png)', '[@', '![@', '[@][@]', '<@', '@<@', '<@>@'],
  ...['<b>@</b>', '<div>@', '</@>', '<!-- @ -->', '<!-- @', '<script>@</script>', '<https://a.test> @', '@ < @ > @'],
  ...['*@', '**@', '_@', '__@', '~~@', '~@', '`@', '$@', '$$@$$', '\\(@\\)', '\\[@\\]', '&lt;@', '&@;', '@&', '\\*@\\*'],
  ...['$@ + 1$', '\\(@ + 1\\)', '\\[@ = @\\]', '$$@ = @', '$5 @ $6', '\\(\\frac{@', '$\\foo{@}$', '\\[@ @\\]', '|$@|@$', '（@）', '**@：**@', '「@」**@**', '@。https://a.test/@，@', '~~@（@）~~@'],
  ...['@ * @', '2**@', '@_@_@', '@^2^', '[^@]', '@ | @', '"@"', '@!', '@:', '#@', '@\\', '<br>@', '<br/>@', '<T>@</T>'],
];
const BLOCKS = [
  ...['@', '# @', '## @ #', '> @', '- @', '* @', '+ @', '1. @', '7) @', '- [ ] @', '- [x] @', '    @', '\t@', '@\n---', '@\n==='],
  ...['```\n@\n```', '```js\n@\n```', '~~~\n@', '```\n@', '```js @ @\n@\n```', '~~~js title=@\n@', '| @ | @ |\n|---|---|\n| @ | @ |', '| @ |\n|:-:|\n| @ | @ |'],
  ...['---', '***', '<div>\n@\n</div>', '<details>\n<summary>@</summary>\n@\n</details>', '<!--\n@\n-->', '$$\n@\n$$', '\\[\n@\n- @\n\\]', '> $$\n> @\n> $$', '$$\n@\n\n@', '- \\[\n  @\n  \\]', '```mermaid\ngraph TD\n@-->@\n```'],
  ...['- @\n  - @\n    - @', '1. @\n\n   @', '> @\n> > @', '@  \n@', '@\n@', '<pre>@\n\n@</pre>', '<style>\n@\n\n@', '<?@', '<![CDATA[@'],
  ...['[^@]: @', '@[^1] @\n\n[^1]: @', '[@]: https://a.test/', '[@]: @', '@ [a][b]\n\n[b]: https://a.test/', '[@][b]\n\n[b]: @', '[^1]: @\n\n[^1]: @'],
];

const markdown = tuple(
  integer({ min: 0, max: LETTERS.length - 1 }),
  array(
    record({
      block: constantFrom(...BLOCKS),
      inline: array(constantFrom(...INLINE), { minLength: 1, maxLength: 4 }),
      gap: constantFrom('\n', '\n\n'),
    }),
    { minLength: 1, maxLength: 5 },
  ),
)
  .map(([script, blocks]) => {
    let count = 0;
    const text = blocks.map(({ block, inline, gap }) => block.replace('@', inline.join(' ')) + gap).join('');
    return text.replace(/@/gu, () => `${LETTERS[(count + script) % LETTERS.length]}${count++}x`);
  });

const RUNS = { numRuns: 300, seed: 20_261_129 };

describe('whatever is written', () => {
  test('no word of a finished text is lost', () => {
    assert(
      property(markdown, (text) => {
        expect(lostWords(text, shown(text, false))).toEqual([]);
      }),
      RUNS,
    );
  });

  test('no word is lost while it is written', () => {
    assert(
      property(markdown, double({ min: 0, max: 1, noNaN: true }), (text, share) => {
        // A word must appear as soon as it is complete.
        const written = text.slice(0, Math.ceil(text.length * share));
        expect(lostWords(written, shown(written, true))).toEqual([]);
      }),
      RUNS,
    );
  });
});
