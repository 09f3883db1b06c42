/**
 * Finds the formulas in a markdown text: `\(…\)`, `\[…\]`, `$$…$$`, `$…$`, and environments that
 * begin a line: `\begin{align}…\end{align}`.
 *
 * A formula is full of marks that markdown would read as its own. It is therefore hidden before the
 * text is parsed: each of its characters is replaced by a stand-in from a private Unicode plane,
 * which means nothing to markdown. The parsed tree gets the formulas back (`formulaNodes.ts`), and
 * wherever a formula turns out to be code or an address, its characters.
 */

/** One formula as written. */
export interface Formula {
  /** With its delimiters. */
  source: string;
  /** Without them. An environment is its own delimiter. */
  tex: string;
  /** Whether it has a line of its own. */
  isDisplay: boolean;
  /** Whether its end has not arrived yet. */
  isOpen: boolean;
}

/** Longer formulas are text; in characters. */
const AT_MOST = 4_000;

/** What stands before a formula in its line is searched this far; in characters. */
const LINE_AT_MOST = 300;

const PLANE = 0xf0000;
/** Punctuation around the stand-ins, so that bold next to a formula works as next to a `$`. */
const [OPEN, CLOSE] = ['⸨', '⸩'];
const HIDDEN = /⸨([\u{f0000}-\u{fffff}]+)⸩/gu;

/** Code, escaped characters and addresses contain no formulas. */
const TOKEN =
  /(?<fence>^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(?<marks>`{3,}|~{3,}))|(?<ticks>`+)|(?<env>\\begin(?<=^[ \t>]*\\begin)\{(?<name>equation|eqnarray|align(?:ed)?|alignat|gather(?:ed)?|multline|split|[dr]?cases|[pbBvV]?matrix|array)\*?\})|https?:\/\/[^\s$]*|\\[^([]|(?<open>\\\(|\\\[|\$+)/gmu;

/**
 * Hides the formulas of a text.
 *
 * @param isWriting - whether the text may grow. Then a formula that ends with the text is hidden
 *   too, unless it may be a price: `$5 and`.
 * @returns a text for `formulasIn` and `revealed`.
 */
export function hideFormulas(text: string, isWriting: boolean): string {
  let hidden = '';
  let done = 0;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const { fence, marks = '', ticks, open, env } = match.groups ?? {};
    if (fence !== undefined) TOKEN.lastIndex = endOfFence(text, TOKEN.lastIndex, marks);
    else if (ticks !== undefined) TOKEN.lastIndex = endOfCode(text, TOKEN.lastIndex, ticks);
    const begin = env ?? open;
    if (begin === undefined) continue;
    const end = endOfFormula(text, match.index, begin, isWriting);
    if (end === undefined) continue;
    hidden += text.slice(done, match.index) + hiddenFormula(text, match.index, end);
    done = end;
    TOKEN.lastIndex = end;
  }
  return hidden + text.slice(done);
}

/** Splits a text into plain parts and formulas. */
export function formulasIn(text: string): (string | Formula)[] {
  return text.split(HIDDEN).flatMap<string | Formula>((part, index) => {
    if (index % 2 === 0) return part === '' ? [] : [part];
    return [formulaOf(fromStandIns(part))];
  });
}

/** Returns a text with its formulas as they were written. */
export function revealed(text: string): string {
  return text.replace(HIDDEN, (_, hidden: string) => fromStandIns(hidden));
}

// --- the ends of code ----------------------------------------------------------------

function endOfFence(text: string, from: number, marks: string): number {
  const close = new RegExp(`^[ \\t>]*${marks[0]}{${marks.length},}[ \\t]*$`, 'gmu');
  close.lastIndex = from;
  return close.exec(text) ? close.lastIndex : text.length;
}

function endOfCode(text: string, from: number, ticks: string): number {
  const close = new RegExp(`(?<!\`)${ticks}(?!\`)|\\n[ \\t]*\\n`, 'gu');
  close.lastIndex = from;
  return close.exec(text)?.[0] === ticks ? close.lastIndex : from;
}

// --- the ends of formulas -------------------------------------------------------------

const CLOSERS: Readonly<Record<string, string>> = { '\\(': '\\)', '\\[': '\\]', '$$': '$$', $: '$' };

/** Returns what ends a formula that begins like this; undefined if nothing does. */
function closerOf(open: string): string | undefined {
  return open.startsWith('\\begin') ? open.replace('begin', 'end') : CLOSERS[open];
}

function endOfFormula(text: string, start: number, open: string, isWriting: boolean): number | undefined {
  const close = closerOf(open);
  const before = text.slice(Math.max(0, start - 100), start);
  if (close === undefined || (open === '$' && /[\w$]$/u.test(before))) return undefined;
  const from = start + open.length;
  const isBlock = open !== '\\(' && /(?:^|\n)[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*$/u.test(before);
  const isAlone = isBlock && /^[ \t\r]*\n/u.test(text.slice(from, from + 100));
  const limit = Math.min(text.length, from + AT_MOST);
  for (let at = from; at < limit; at += 1) {
    if (text.startsWith(close, at)) {
      const end = at + close.length;
      const behind = text.slice(end, end + 100);
      return isFormula(open, text.slice(from, at), behind, isBlock) ? end : undefined;
    }
    if (text[at] === '\\') {
      // One formula begins inside another: the first one is none.
      if (/^\\[([]/u.test(text.slice(at, at + 2))) return undefined;
      at += 1;
    } else if (text[at] === '\n') {
      // A paragraph ends here, and with it what began inside it.
      if (open === '$' || (!isAlone && /^\n[ \t\r>]*\n/u.test(text.slice(at, at + 100)))) return undefined;
    } else if (text[at] === '`' && open === '$') {
      return undefined;
    }
  }
  if (!isWriting || limit < text.length) return undefined;
  const tex = text.slice(from);
  // A price has no commands.
  if (open === '$') return /^(?:\s?\\|[^\s\d].*\\)[A-Za-z]/u.test(tex) ? limit : undefined;
  return open === '\\(' || isBlock || tex.trim() === '' || !isProse(tex) ? limit : undefined;
}

function isFormula(open: string, tex: string, behind: string, isBlock: boolean): boolean {
  if (tex.trim() === '' || isProse(tex)) return false;
  if (open === '$') return isDollarFormula(tex, behind);
  // `\[1\]` in a sentence is a number in brackets.
  return open !== '\\[' || SIGN.test(tex) || (isBlock && /^[ \t\r]*(?:\n|$)/u.test(behind));
}

/** A sign of mathematics. */
const SIGN = /[\\^_={}+<>|]/u;

/** `\[see below\]`, `$$ – moderate, $$`. */
function isProse(tex: string): boolean {
  return !SIGN.test(tex) && /\s/u.test(tex.trim()) && /\p{L}{2}/u.test(tex);
}

/** Tells `$x$` from prices, as Pandoc does, and from shell variables: `$5 or $6`, `$HOME/$USER`. */
function isDollarFormula(tex: string, behind: string): boolean {
  // Blanks inside are those of prices, unless there is a command: `$ \pi $`.
  if (/^\s|\s$/u.test(tex) && !/^\s.*\\[A-Za-z].*\s$/su.test(tex)) return false;
  if (/^\w/u.test(behind) && !/^(?:th|st|nd|rd|s)\b/u.test(behind)) return false;
  // "$20. You owe me = 30$"
  return tex.includes('\\') || !/^\d\S*\s.*\p{L}{2}/u.test(tex);
}

// --- stand-ins ---------------------------------------------------------------------------

function hiddenFormula(text: string, start: number, end: number): string {
  const line = text.slice(Math.max(0, start - LINE_AT_MOST), start).replace(/^[\s\S]*\n/u, '');
  let source = text.slice(start, end);
  if (/^[ \t]*>/u.test(line)) source = source.replace(/\n[ \t]*(?:>[ \t]?)+/gu, '\n');
  // A table's cell can contain a bar only if it is escaped.
  if (/^[ \t]*\|/u.test(line)) source = source.replace(/\\\|/gu, '|');
  const hidden = OPEN + Array.from({ length: source.length }, (_, at) => standIn(source.charCodeAt(at))).join('') + CLOSE;
  // A line of dashes below it would make it a heading.
  return /^[ \t\r]*\n[ \t]*(?:-+|=+)[ \t\r]*(?:\n|$)/u.test(text.slice(end, end + 200)) ? `${hidden}\n` : hidden;
}

function standIn(unit: number): string {
  return String.fromCodePoint(PLANE + unit);
}

function fromStandIns(hidden: string): string {
  return Array.from(hidden, (one) => String.fromCharCode((one.codePointAt(0) ?? PLANE) - PLANE)).join('');
}

/** Reads a formula from its source, which begins with a delimiter. */
export function formulaOf(source: string): Formula {
  const open = /^(?:\\\(|\\\[|\$\$?|\\begin\{\w+\*?\})/u.exec(source)?.[0] ?? '';
  const close = closerOf(open) ?? '';
  const isOpen = !source.endsWith(close) || source.length < open.length + close.length;
  const isEnvironment = open.startsWith('\\begin');
  const tex = isEnvironment ? source : source.slice(open.length, isOpen ? undefined : -close.length);
  return { source, tex, isDisplay: isEnvironment || open === '\\[' || open === '$$', isOpen };
}
