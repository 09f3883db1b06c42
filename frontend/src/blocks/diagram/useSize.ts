import { type RefObject, useLayoutEffect, useState } from 'react';
import type { Size } from './diagramView';

/** Returns an element's size in CSS pixels; undefined while or where it is unknown. */
export function useSize(element: RefObject<HTMLElement | null>): Size | undefined {
  const [width, height] = useMeasured(element, innerSize);
  return width === undefined || height === undefined ? undefined : { width, height };
}

/** Returns where an element ends in its parent, in CSS pixels; 0 while or where it is unknown. */
export function useBottom(element: RefObject<HTMLElement | null>): number {
  return useMeasured(element, bottom)[0] ?? 0;
}

const innerSize = (element: HTMLElement) => [element.clientWidth, element.clientHeight];
const bottom = (element: HTMLElement) => [element.offsetTop + element.offsetHeight];
const UNKNOWN: number[] = [];

/** @param measure - must be the same function on every render. */
function useMeasured(element: RefObject<HTMLElement | null>, measure: (element: HTMLElement) => number[]): number[] {
  const [measured, setMeasured] = useState(UNKNOWN);
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null || typeof ResizeObserver === 'undefined') return undefined;
    const read = () => {
      const next = measure(target);
      setMeasured((now) => (now.length > 0 && next.every((value, at) => value === now[at]) ? now : next));
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(target);
    return () => observer.disconnect();
  }, [element, measure]);
  return measured;
}
