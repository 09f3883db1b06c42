/**
 * A remark plugin: bold may end with a colon or a full stop right before a letter: `**Note:**this`.
 *
 * CommonMark takes such a mark for the beginning of something bold. Models mean the end, if there
 * is a beginning before it. Must follow the plugin that reads emphasis.
 */
import type { Processor } from 'unified';

type Code = number | null;
type State = (code: Code) => State | undefined;
interface Token {
  _close?: boolean;
  start: { offset: number };
  end: { offset: number };
}
interface Context {
  previous: Code;
  events: [kind: string, token: Token][];
}
interface Construct {
  name?: string;
  tokenize(this: Context, effects: unknown, ok: State, nok: State): State;
}

const STAR = 42;

/** What ends a heading in bold. Not brackets and commas: `f(x)**n` and `(**a,**b)` are code. */
const END = /[.:;!?…]/u;

export function closingMarks(this: Processor): void {
  const { micromarkExtensions = [] } = this.data() as { micromarkExtensions?: { text?: Record<number, Construct> }[] };
  const attention = micromarkExtensions.map(({ text }) => text?.[STAR]).find((each) => each?.name === 'attention');
  if (attention) micromarkExtensions.push({ text: { [STAR]: closing(attention) } });
}

function closing(attention: Construct): Construct {
  return {
    ...attention,
    tokenize(effects, ok, nok) {
      const before = this.previous;
      const done: State = (code) => {
        const token = this.events.at(-1)?.[1];
        const isBold = token && token.end.offset - token.start.offset >= 2;
        // oxlint-disable-next-line no-underscore-dangle -- the parser's name
        if (isBold && is(END, before) && is(/[\p{L}\p{N}]/u, code)) token._close = true;
        return ok(code);
      };
      return attention.tokenize.call(this, effects, done, nok);
    },
  };
}

function is(pattern: RegExp, code: Code): boolean {
  return code !== null && code > 0 && pattern.test(String.fromCodePoint(code));
}
