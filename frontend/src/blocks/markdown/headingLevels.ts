/**
 * The levels of headings that a markdown text uses, in order and each once: `"13"`. Underlined
 * headings, which models do not write, count for nothing.
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

/** A fence, or a heading: a comment in code looks like one. */
const LINES = /^ {0,3}(?:(`{3,}|~{3,})|(#{1,6})[ \t])/gmu;
