/** How long the model has been thinking. Counts on between two reports. */
import type { Thinking } from '@liveai/client';
import { useSecondsSince } from './useSeconds';

export interface ThinkingTimeProps {
  thinking: Thinking;
  className?: string;
}

export function ThinkingTime({ thinking, className }: ThinkingTimeProps) {
  const seconds = Math.floor(thinking.sinceMs / 1000) + useSecondsSince(thinking);
  return seconds > 0 && <span className={className}>{seconds} s</span>;
}

/** "Thought for 12 s", once the model writes. */
export function thoughtWordsOf({ sinceMs }: Thinking): string {
  return sinceMs < 1000 ? 'Thought for a moment' : `Thought for ${Math.floor(sinceMs / 1000)} s`;
}
