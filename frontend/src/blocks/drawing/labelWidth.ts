/** How wide a label may be before it goes on in the next line; in px. */

export const WIDEST_LABEL = 190;

const NARROW_LABEL = 96;

/** More than most letters of the drawing's font need. */
const LETTER = 9;

/** Scripts that break between any two letters. */
const BREAKS_ANYWHERE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** The least width that breaks no ordinary word of the labels apart. */
export function narrowestWidth(source: string): number {
  let width = NARROW_LABEL;
  for (const [, label = ''] of source.matchAll(/"([^"\n]*)"/gu)) {
    for (const word of label.split(/\s+/u)) {
      if (!BREAKS_ANYWHERE.test(word)) width = Math.max(width, word.length * LETTER);
    }
  }
  return Math.min(width, WIDEST_LABEL);
}
