/** The answer to "count on" (`tests/frontend/scripts/pages.json`): a lost or doubled word shows. */
export const COUNTED = Array.from({ length: 300 }, (_, at) => `w${String(at + 1).padStart(3, '0')}`).join(' ');
