/** Shows how much of the prompt limit is used, once it is nearly reached. */

/** The counter is shown from this share of the limit. */
const SHOW_FROM = 0.8;

export interface CounterProps {
  id: string;
  text: string;
  /** In code points, as the server counts. */
  limit: number;
}

export function Counter({ id, text, limit }: CounterProps) {
  const length = lengthOf(text);
  const over = length - limit;
  return (
    <span id={id} className="counter" data-over={over > 0 || undefined}>
      {over > 0
        ? `${number(over)} ${over === 1 ? 'character' : 'characters'} over the limit`
        : length >= limit * SHOW_FROM && `${number(length)} of ${number(limit)} characters`}
    </span>
  );
}

/** Counts code points: an emoji is one code point, but two UTF-16 units in JavaScript. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
