/**
 * Returns the title of an answer, unless it says no more than the prompt and the block's name, which
 * are shown above it.
 *
 * @param isWhole - false hides an incomplete title that may still become the prompt.
 * @returns '' if there is nothing to show.
 */
export function ownTitle(title: string, prompt: string | undefined, isWhole: boolean): string {
  const isFrame = isWhole && plain(title) !== '' && subjectOf(title) === '';
  return isFrame || repeats(title, prompt, isWhole) ? '' : title;
}

/**
 * Returns a markdown answer without a first heading that only repeats the prompt. A bold line of its
 * own is a heading too. If the answer is nothing else, it stays.
 *
 * @param isWriting - whether the text may grow; a heading that may still become the prompt is held back.
 */
export function withoutOwnHeading(markdown: string, prompt: string, isWriting: boolean): string {
  const found = HASHED.exec(markdown) ?? BOLD.exec(markdown);
  const { title = '', end = '' } = found?.groups ?? {};
  if (!found || !repeats(title, prompt, !isWriting || end !== '')) return markdown;
  const rest = markdown.slice(found[0].length);
  return rest.trim() === '' && !isWriting ? markdown : rest;
}

/** A first line with hashes: `# Title`. */
const HASHED = /^\s*#{1,6}[ \t]+(?<title>[^\n]*?)(?:[ \t]+#+)?[ \t]*(?<end>\n+|$)/u;
/** A first line that is bold as a whole: `**Title**`; also as far as it is written. */
const BOLD = /^\s*\*\*(?<title>[^\n*]+)(?:\*\*:?[ \t]*(?<end>\n+)|\*{0,2}:?[ \t]*$)/u;

function repeats(title: string, prompt: string | undefined, isWhole: boolean): boolean {
  const own = subjectOf(title) || plain(title);
  const asked = subjectOf(prompt ?? '') || plain(prompt ?? '');
  return own !== '' && (isWhole ? asked === own : asked.startsWith(own));
}

/** Words that a title adds to its subject: "A quiz about the planets". */
const FRAME = /^(?:(?:a|an|the) )?(?:short |quick |simple )?(?:quiz|diagram|flowchart) (?:(?:on|about|of|for) )?|^(?:a|an|the) | (?:quiz|diagram|flowchart)$|^(?:quiz|diagram|flowchart)$/gu;

function subjectOf(text: string): string {
  let own = plain(text);
  for (let before = ''; before !== own; ) {
    before = own;
    own = own.replace(FRAME, '').trim();
  }
  return own;
}

function plain(text: string): string {
  return text
    .toLocaleLowerCase()
    .replace(/[^\p{Letter}\p{Number}]+/gu, ' ')
    .trim();
}
