/** Returns a line without its marks, for what is spoken or stored: `**x** is $y$` → "x is y". */
export function plainText(text: string): string {
  return text.replace(MARKED, (...found: unknown[]) => {
    const groups = found.at(-1) as Record<string, string | undefined>;
    return Object.values(groups).find((words) => words !== undefined) ?? '';
  });
}

const MARKED =
  /`+(?<code>[^`]+)`+|\*\*(?<strong>\S(?:[^*]*\S)?)\*\*|(?<![\w*])\*(?<em>\S(?:[^*]*\S)?)\*(?![\w*])|(?<![\w$])\$(?<dollars>\S(?:[^$]*\S)?)\$(?![\w$])|\\\((?<round>.+?)\\\)/gu;
