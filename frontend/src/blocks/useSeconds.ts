import { useEffect, useState } from 'react';

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
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return Math.max(0, Math.ceil((moment - now) / 1000));
}
