/**
 * The smallest words of a drawing (drawing.css), and the smallest that people read; CSS pixels.
 * Browsers round the scale, so a little is added.
 */
const SMALLEST_WORDS = 14;
const LEGIBLE_WORDS = 12.01;

/** A large drawing is reduced only as long as its words are legible. */
export const LEGIBLE_SCALE = LEGIBLE_WORDS / SMALLEST_WORDS;
