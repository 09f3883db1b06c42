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

/**
 * Returns a markdown answer without a first heading that only repeats the prompt.
 *
 * @param isWriting - whether the text may grow; a heading that may still become the prompt is held back.
 */
export function withoutOwnHeading(markdown: string, prompt: string, isWriting: boolean): string {
  const found = /^\s*#{1,6}[ \t]+(?<title>[^\n]*?)(?:[ \t]+#+)?[ \t]*(?<end>\n+|$)/u.exec(markdown);
  const { title = '', end = '' } = found?.groups ?? {};
  const isWhole = !isWriting || end !== '';
  return found && title !== '' && ownTitle(title, prompt, isWhole) === '' ? markdown.slice(found[0].length) : markdown;
}

/** Words that a title adds to its subject: "A quiz about the planets". */
const FRAME = /^(?:(?:a|an|the) )?(?:short |quick |simple )?(?:quiz|diagram|flowchart) (?:(?:on|about|of|for) )?|^(?:a|an|the) | (?:quiz|diagram|flowchart)$/gu;

function plain(text: string): string {
  const words = text
    .toLocaleLowerCase()
    .replace(/[^\p{Letter}\p{Number}]+/gu, ' ')
    .trim();
  let own = words;
  for (let before = ''; before !== own; ) {
    before = own;
    own = own.replace(FRAME, '').trim();
  }
  // The subject may be a quiz.
  return own || words;
}
