/**
 * Returns the heading levels that a markdown text uses, sorted and unique: `"13"`.
 * Underlined headings are ignored; models do not write them.
 */
export function headingLevels(markdown: string): string {
  const levels = new Set<string>();
  let fence: string | undefined;
  for (const [, marks, level] of markdown.matchAll(LINES)) {
    if (marks !== undefined) {
      if (fence === undefined) fence = marks;
      else if (marks.startsWith(fence)) fence = undefined;
    } else if (level !== undefined && fence === undefined) {
      levels.add(String(level.length));
    }
  }
  return [...levels].toSorted().join('');
}

/** Matches a fence or a heading. A comment inside a fence looks like a heading. */
const LINES = /^ {0,3}(?:(`{3,}|~{3,})|(#{1,6})[ \t])/gmu;
