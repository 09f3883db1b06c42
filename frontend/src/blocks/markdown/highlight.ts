/**
 * Finds comments, strings, numbers and keywords with one expression per family of languages.
 * A full grammar per language (Shiki, 300 KiB or more) is not worth its size: the design uses only
 * weight and two tints.
 */

export type CodeKind = 'comment' | 'string' | 'number' | 'keyword';

/** `kind` is undefined for everything else. The pieces' texts add up to the code. */
export interface CodePiece {
  text: string;
  kind: CodeKind | undefined;
}

/** Longer code is not highlighted; in characters. */
const AT_MOST = 30_000;

/** @param language - as given after the fence; an unknown one returns a single piece. */
export function highlight(code: string, language: string): CodePiece[] {
  const pattern = patternOf(language.toLowerCase());
  if (!pattern || code.length > AT_MOST) return [{ text: code, kind: undefined }];
  const pieces: CodePiece[] = [];
  let end = 0;
  for (const match of code.matchAll(pattern)) {
    const kind = KINDS.find((name) => match.groups?.[name] !== undefined);
    if (kind === undefined) continue;
    if (match.index > end) pieces.push({ text: code.slice(end, match.index), kind: undefined });
    pieces.push({ text: match[0], kind });
    end = match.index + match[0].length;
  }
  if (end < code.length) pieces.push({ text: code.slice(end), kind: undefined });
  return pieces;
}

const KINDS = ['comment', 'string', 'keyword', 'number'] as const;

interface Family {
  languages: string;
  comment: string;
  string: string;
  keywords: string;
  flags?: string;
}

// Every alternative takes linear time: no nested repetition, and no unbounded one before a
// look-ahead.
const QUOTED = String.raw`"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`;
const SLASHES = String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`;
const HASH = String.raw`#[^\n]*`;

const FAMILIES: readonly Family[] = [
  {
    languages: 'js javascript jsx ts typescript tsx mjs json json5 jsonc',
    comment: SLASHES,
    string: `${QUOTED}|${String.raw`\x60(?:\\.|[^\x60\\])*\x60?`}`,
    keywords:
      'abstract as async await break case catch class const continue debugger declare default delete do else enum export extends false finally for from function if implements import in instanceof interface let new null of private protected public readonly return satisfies static super switch this throw true try type typeof undefined var void while yield',
  },
  {
    languages: 'c h cpp c++ cc hpp cs csharp c# java kotlin kt scala swift go golang rust rs dart php zig',
    comment: SLASHES,
    string: QUOTED,
    keywords:
      'abstract async auto await bool boolean break byte case catch char class const continue crate data def default defer delete do double echo else enum explicit extends extern false final float fn for foreach fun func function go goto guard if impl implements import in include inline int interface internal is let long loop match mod move mut namespace new nil null object open operator override package private protected protocol pub public range record return select self short signed sizeof static string struct super switch template this throw throws trait true try type typedef union unsafe unsigned use using val var virtual void when where while with yield',
  },
  {
    languages: 'py python python3 pycon',
    comment: HASH,
    string: `"""[\\s\\S]*?(?:"""|$)|'''[\\s\\S]*?(?:'''|$)|${QUOTED}`,
    keywords:
      'False None True and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield',
  },
  {
    languages: 'sh bash shell zsh console fish dockerfile docker makefile make yaml yml toml ini ruby rb perl r elixir',
    comment: String.raw`(?<![^\s])#[^\n]*`,
    string: QUOTED,
    keywords:
      'alias begin case class def do done elif else elsif end esac export false fi for from function if in local module nil null require return self set then true unless until unset when while yield CMD COPY ENTRYPOINT ENV FROM RUN WORKDIR',
  },
  {
    languages: 'sql postgresql postgres mysql sqlite plsql',
    comment: String.raw`--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`,
    string: QUOTED,
    keywords:
      'add all alter and as asc begin between by case check column commit constraint create default delete desc distinct drop else end exists false foreign from full group having if in index inner insert into is join key left like limit not null offset on or order outer primary references returning right rollback select set table then true union unique update using values view when where with',
    flags: 'i',
  },
  {
    languages: 'html xml svg vue svelte markup',
    comment: String.raw`<!--[\s\S]*?(?:-->|$)`,
    string: String.raw`(?<==)(?:"[^"]*"|'[^']*')`,
    keywords: String.raw`(?<=<\/?)[a-zA-Z][\w:-]*`,
  },
  {
    languages: 'css scss less',
    comment: SLASHES,
    string: QUOTED,
    keywords: String.raw`@[\w-]+|[\w-]{1,40}(?=\s{0,3}:\s)`,
  },
];

const patterns = new Map<Family, RegExp>();

function patternOf(language: string): RegExp | undefined {
  const family = FAMILIES.find(({ languages }) => languages.split(' ').includes(language));
  if (!family) return undefined;
  const known = patterns.get(family);
  if (known) return known;
  // Either a list of words or a regular expression.
  const isWords = /^[\w ]+$/u.test(family.keywords);
  const keyword = isWords ? `\\b(?:${family.keywords.replaceAll(' ', '|')})\\b` : family.keywords;
  const number = String.raw`\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)`;
  const pattern = new RegExp(
    `(?<comment>${family.comment})|(?<string>${family.string})|(?<keyword>${keyword})|(?<number>${number})`,
    `g${family.flags ?? ''}`,
  );
  patterns.set(family, pattern);
  return pattern;
}
