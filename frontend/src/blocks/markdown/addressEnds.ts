/**
 * A remark plugin: a bare address ends before the punctuation of its sentence, whatever the script.
 * GitHub's syntax knows ASCII only. Streamdown's plugin knows a part of what Chinese and Japanese
 * use, and misses an address that follows.
 */
import { type Node, allNodes } from '../text/markdownTree';

/** Punctuation that no address contains unencoded, except dashes. */
const PUNCTUATION = /[\u3001-\u3003\u3008-\u3020\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\u2016-\u205e\u060c\u061b\u061f\u06d4\u0964\u0965«»]/u;
/** Scripts without blanks between words: their words may follow directly. */
const WRITTEN_ON = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]`;
const ASCII_PUNCTUATION = new RegExp(String.raw`[,;!'"\]](?=${WRITTEN_ON})`, 'u');
/** A host whose last label would mix the scripts. */
const HOST = new RegExp(String.raw`^(?:https?:\/\/|(?=www\.))(?:[\w-]+\.)*[\w-]+(?::\d+)?(?=${WRITTEN_ON})`, 'iu');
/** As in GitHub's syntax. */
const TRAILING = /[?!.,:;*_~'"]+$/u;

export function addressEnds() {
  return (tree: Node): void => {
    for (const node of allNodes(tree)) {
      node.children = node.children?.flatMap((child) => (isBare(child) ? cut(child) : [child]));
    }
  };
}

/** A bare address is its own text. */
function isBare({ type, url = '', children = [] }: Node): boolean {
  const [text, ...others] = children;
  return type === 'link' && others.length === 0 && text?.type === 'text' && url.endsWith(text.value ?? ' ');
}

/** Also finds the addresses that follow: up to a blank, they were part of the first one. */
function cut(link: Node): Node[] {
  const nodes: Node[] = [];
  let url = link.url ?? '';
  let words = link.children?.[0]?.value ?? '';
  for (;;) {
    const length = lengthOf(words);
    const isWhole = length === words.length;
    nodes.push({ ...link, url: isWhole ? url : url.slice(0, length - words.length), children: [textOf(words.slice(0, length))] });
    const rest = words.slice(length);
    const next = rest.search(/(?:https?:\/\/|www\.)[\w-]/u);
    if (rest !== '') nodes.push(textOf(next === -1 ? rest : rest.slice(0, next)));
    if (next === -1) return nodes;
    words = rest.slice(next);
    url = words.startsWith('www.') ? `http://${words}` : words;
  }
}

/** Returns how many characters of the words are the address that they begin with. */
function lengthOf(words: string): number {
  const ends = [words.search(PUNCTUATION), words.search(ASCII_PUNCTUATION), HOST.exec(words)?.[0].length ?? -1, strayBracket(words)];
  const length = Math.min(...ends.filter((end) => end > 0), words.length);
  return length === words.length ? length : words.slice(0, length).replace(TRAILING, '').length;
}

/** Returns where the first bracket closes that is not opened in the address; -1 if none does. */
function strayBracket(words: string): number {
  let depth = 0;
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === '(') depth += 1;
    else if (words[at] === ')' && (depth -= 1) < 0) return at;
  }
  return -1;
}

function textOf(value: string): Node {
  return { type: 'text', value };
}
