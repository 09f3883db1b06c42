/** What is said of a refusal that ends by itself: why, and when to try again. */
import type { StreamProblem } from '@liveai/client';

/** Up to here, a wait is told in seconds. */
const SECONDS_MS = 90_000;
/** Up to here, a wait is told in minutes, and then by the clock. */
const MINUTES_MS = 2 * 60 * 60_000;

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: 'numeric', minute: '2-digit' });
const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long' });
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long' });

/** "in 24 s", "in 5 minutes", "at 17:00", "tomorrow at 9:00", "on Friday at 9:00", "on 3 March at 9:00". */
export function whenWords(moment: number, now: number): string {
  const ms = Math.max(0, moment - now);
  if (ms <= SECONDS_MS) return `in ${Math.ceil(ms / 1000)} s`;
  if (ms <= MINUTES_MS) return RELATIVE.format(Math.ceil(ms / 60_000), 'minute');
  const then = new Date(Math.round(moment / 60_000) * 60_000); // no two clocks agree to the second
  const clock = `at ${CLOCK.format(then)}`;
  const days = daysBetween(new Date(now), then);
  if (days === 0) return clock;
  if (days === 1) return `${RELATIVE.format(1, 'day')} ${clock}`;
  return `on ${(days < 7 ? WEEKDAY : DATE).format(then)} ${clock}`;
}

/** The same to be spoken: "in 24 seconds". */
export function spokenWhen(moment: number, now: number): string {
  const ms = Math.max(0, moment - now);
  return ms <= SECONDS_MS ? RELATIVE.format(Math.ceil(ms / 1000), 'second') : whenWords(moment, now);
}

/** Counts midnights, also across days of 23 or 25 hours. */
function daysBetween(one: Date, other: Date): number {
  return (midnight(other) - midnight(one)) / 86_400_000;
}

function midnight(date: Date): number {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}

/** Whether every try before the named time is refused. For a place that must become free, it is a guess. */
export function isUselessEarlier({ code }: StreamProblem): boolean {
  return code === 'rate_limited' || code === 'quota_exceeded';
}

/** Whether it takes a free place. */
export function isAboutPlaces({ code }: StreamProblem): boolean {
  return code === 'too_many_streams' || code === 'over_capacity';
}

/** The server's reason, without its waiting time: the page counts that down beside it. */
export function reasonWords({ message }: StreamProblem): string {
  return message.replace(/\s+(?:Please wait|The limit resets in) \d+ (?:second|minute|hour|day)s?\.$/u, '');
}
