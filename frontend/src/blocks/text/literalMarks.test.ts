import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { describe, expect, test } from 'vitest';
import { literalMarks } from './literalMarks';
import type { Node } from './markdownTree';

/** The kinds of marks that a text has, in order. */
function marksIn(text: string): string[] {
  const parser = unified().use(remarkParse).use(literalMarks);
  const kinds = ({ type, children = [] }: Node): string[] => [
    ...(type === 'emphasis' || type === 'strong' ? [type] : []),
    ...children.flatMap(kinds),
  ];
  return kinds(parser.runSync(parser.parse(text), text) as Node);
}

describe('literalMarks', () => {
  test.each(['2*3*4', 'a*b*c', '2**3**4', '(a)*b*(c)', '__init__', 'call __main__ now', '(*^_^*)'])('%s has no emphasis', (text) => {
    expect(marksIn(text)).toEqual([]);
  });

  test.each([
    ['*a*', ['emphasis']],
    ['**a**', ['strong']],
    ['__Bold words__', ['strong']],
    ['_a_', ['emphasis']],
    ['e**X**tensible', ['strong']],
    ['**→**', ['strong']],
    ['**2*3*4 is 24**', ['strong']],
    ['*a*, *b*', ['emphasis', 'emphasis']],
  ])('%s has', (text, kinds) => expect(marksIn(text)).toEqual(kinds));
});
