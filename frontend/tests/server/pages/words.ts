/**
 * The answer to "count on" (`tests/frontend/scripts/pages.json`): it reveals a lost or duplicated
 * word.
 */
export const COUNTED = Array.from({ length: 300 }, (_, at) => `w${String(at + 1).padStart(3, '0')}`).join(' ');
