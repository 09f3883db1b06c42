/** How much of a prompt's length is used, once it matters. */

/** From this share on it is shown. */
const SHOW_FROM = 0.8;

export interface CounterProps {
  id: string;
  text: string;
  /** In characters, as the server counts them. */
  limit: number;
}

export function Counter({ id, text, limit }: CounterProps) {
  const length = lengthOf(text);
  const over = length - limit;
  return (
    <span id={id} className="counter" data-over={over > 0 || undefined}>
      {over > 0
        ? `${number(over)} ${over === 1 ? 'character' : 'characters'} too many`
        : length >= limit * SHOW_FROM && `${number(length)} of ${number(limit)} characters`}
    </span>
  );
}

/** Code points: an emoji is one to the server, and two to JavaScript. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
