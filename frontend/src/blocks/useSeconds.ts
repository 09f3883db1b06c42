import { useEffect, useState } from 'react';
import { whenWords } from './later';

/** Returns the whole seconds since the component mounted. */
export function useSeconds(): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const began = Date.now();
    const timer = setInterval(() => setSeconds(Math.floor((Date.now() - began) / 1000)), 1000);
    return () => clearInterval(timer);
  }, []);
  return seconds;
}

/** Returns the whole seconds since a value last changed, or since the component mounted. */
export function useSecondsSince(value: unknown): number {
  const [since, setSince] = useState({ value, seconds: 0 });
  useEffect(() => {
    const began = Date.now();
    const timer = setInterval(
      () => setSince({ value, seconds: Math.floor((Date.now() - began) / 1000) }),
      1000,
    );
    return () => clearInterval(timer);
  }, [value]);
  return since.value === value ? since.seconds : 0;
}

/** Returns the whole seconds from now until a moment in ms since the epoch, and at least 0. */
export function useSecondsUntil(moment: number): number {
  return Math.max(0, Math.ceil((moment - useNow()) / 1000));
}

/** Returns when that moment is ("in 24 s", "tomorrow at 9:00"); undefined once it has come. */
export function useWhenWords(moment: number): string | undefined {
  const now = useNow();
  return moment > now ? whenWords(moment, now) : undefined;
}

function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return now;
}
