/**
 * The title that a model gave its answer, unless it only repeats what was asked: that stands above it.
 *
 * @param isWhole - while it is being written, one that may yet become the same is held back.
 * @returns '' where there is nothing to show.
 */
export function ownTitle(title: string, prompt: string | undefined, isWhole: boolean): string {
  const own = plain(title);
  const asked = plain(prompt ?? '');
  const isRepeated = isWhole ? asked === own : asked.startsWith(own);
  return own !== '' && isRepeated ? '' : title;
}

function plain(text: string): string {
  return text
    .toLocaleLowerCase()
    .replace(/[^\p{Letter}\p{Number}]+/gu, ' ')
    .trim();
}
