/**
 * Returns the title of an answer, unless it only repeats the prompt, which is shown above it.
 *
 * @param isWhole - false hides an incomplete title that may still become the prompt.
 * @returns '' if there is nothing to show.
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
