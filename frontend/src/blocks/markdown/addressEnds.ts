/**
 * A remark plugin: a bare address ends before the punctuation of its sentence, whatever the script.
 * GitHub's syntax knows ASCII only. Streamdown's plugin knows a part of what Chinese and Japanese
 * use, and misses an address that follows.
 */
import { type Node, allNodes } from '../text/markdownTree';

/** Punctuation that no address contains unencoded, except dashes. */
const END = /[\u3001-\u3003\u3008-\u3020\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\u2016-\u205e\u060c\u061b\u061f\u06d4\u0964\u0965«»]/u;

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

function cut(link: Node): Node[] {
  const words = link.children?.[0]?.value ?? '';
  const at = words.search(END);
  if (at < 1) return [link];
  const rest = words.slice(at);
  const url = (link.url ?? '').slice(0, -rest.length);
  return [{ ...link, url, children: [textOf(words.slice(0, at))] }, ...linked(rest)];
}

/** What follows may contain another address. */
function linked(text: string): Node[] {
  const at = text.search(/(?:https?:\/\/|www\.)[\w-]/u);
  if (at === -1) return [textOf(text)];
  const address = text.slice(at);
  const url = address.startsWith('www.') ? `http://${address}` : address;
  return [textOf(text.slice(0, at)), ...cut({ type: 'link', url, children: [textOf(address)] })];
}

function textOf(value: string): Node {
  return { type: 'text', value };
}
