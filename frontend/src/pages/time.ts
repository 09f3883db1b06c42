/** Formats times for people, in the reader's own time zone. */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long' });
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const DATE_YEAR = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const WHOLE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'short' });

/** "14:02". */
export function clockWords(then: Date): string {
  return CLOCK.format(then);
}

/** "now", "4 min ago", "14:02", "yesterday", "Monday", "3 Mar", "3 Mar 2025". */
export function sinceWords(then: Date, now: Date): string {
  const age = now.getTime() - then.getTime();
  if (age < MINUTE) return 'now';
  if (age < 60 * MINUTE) return `${Math.floor(age / MINUTE)} min ago`;
  const days = daysBetween(then, now);
  if (days === 0) return clockWords(then);
  return days === 1 ? 'yesterday' : olderWords(then, now, days);
}

/** The heading of a day's group: "Today", "Yesterday", "Monday", "3 Mar", "3 Mar 2025". */
export function dayWords(then: Date, now: Date): string {
  const days = daysBetween(then, now);
  if (days <= 0) return 'Today';
  return days === 1 ? 'Yesterday' : olderWords(then, now, days);
}

/** The exact time: "Monday, 3 March 2025 at 14:02". */
export function wholeWords(then: Date): string {
  return WHOLE.format(then);
}

function olderWords(then: Date, now: Date, days: number): string {
  if (days < 7) return WEEKDAY.format(then);
  return (then.getFullYear() === now.getFullYear() ? DATE : DATE_YEAR).format(then);
}

/** Counts whole calendar days, also across days of 23 or 25 hours. */
function daysBetween(then: Date, now: Date): number {
  return Math.round((midnight(now) - midnight(then)) / DAY);
}

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
