import { type RefObject, useLayoutEffect, useState } from 'react';
import type { Size } from './diagramView';

/** Returns an element's size in CSS pixels; undefined while or where it is unknown. */
export function useSize(element: RefObject<HTMLElement | null>): Size | undefined {
  const [size, setSize] = useState<Size>();
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null || typeof ResizeObserver === 'undefined') return undefined;
    const read = () => {
      const { clientWidth: width, clientHeight: height } = target;
      setSize((now) => (now?.width === width && now.height === height ? now : { width, height }));
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return size;
}
