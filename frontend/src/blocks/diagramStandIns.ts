/**
 * Mermaid shows `#60;` in labels of plain SVG as these five characters, and measures them so. Each
 * such character is therefore drawn as one that means nothing to Mermaid, from a plane of Unicode
 * where no letters are, and exchanged for the one that was meant in the finished drawing's texts.
 */

const PLANE = 0xf0000;

/**
 * Its lexer also takes a whole line for a statement wherever "direction TB" or the like stands in it,
 * between quotes too, and the node of that line is gone.
 */
const DIRECTION = /d(?=irection\s+(?:TB|BT|LR|RL|TD))/g;

/** `#code;` as stand-ins: of a text by `diagramSource`, where `#` is never anything else. */
export function toStandIns(source: string): string {
  return source
    .replace(/#(\d{1,5});/g, (all, digits: string) => {
      const code = Number(digits);
      return code <= 0xffff ? String.fromCodePoint(PLANE + code) : all;
    })
    .replace(DIRECTION, (letter) => String.fromCodePoint(PLANE + letter.charCodeAt(0)));
}

/** The characters that the stand-ins in a drawn text stand for. */
export function fromStandIns(text: string): string {
  return text.replace(/[\u{f0000}-\u{fffff}]/gu, (one) => String.fromCodePoint((one.codePointAt(0) ?? PLANE) - PLANE));
}
