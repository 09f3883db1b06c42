/** A, B, C … for the options of a question. */
export function optionLetter(index: number): string {
  return String.fromCharCode(65 + index);
}
