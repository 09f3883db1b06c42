import { type RefObject, useEffect, useRef } from 'react';

/** The distance from the page's end that counts as being there, in px. */
const NEAR = 64;

/**
 * Keeps the page's end in view while an element grows, if the reader is already there.
 * Scrolling up stops it at once, and scrolling to the end starts it again. A selection pauses it.
 */
export function useFollowEnd<E extends HTMLElement>(isGrowing: boolean): RefObject<E | null> {
  const element = useRef<E>(null);
  useEffect(() => {
    const grown = element.current;
    if (!isGrowing || !grown || typeof ResizeObserver === 'undefined') return undefined;
    let isFollowing = distanceToEnd() <= NEAR;
    let lastY = window.scrollY;
    const onScroll = () => {
      const isUp = window.scrollY < lastY;
      lastY = window.scrollY;
      isFollowing = distanceToEnd() <= (isUp ? 2 : NEAR);
    };
    const onWheel = (event: WheelEvent) => {
      // The wheel event comes before its scroll: the next growth must not override the reader.
      if (event.deltaY < 0) isFollowing = false;
    };
    const observer = new ResizeObserver(() => {
      if (!isFollowing || document.getSelection()?.isCollapsed === false) return;
      window.scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
    });
    observer.observe(grown);
    window.addEventListener('scroll', onScroll, { passive: true });
    window.addEventListener('wheel', onWheel, { passive: true });
    return () => {
      observer.disconnect();
      window.removeEventListener('scroll', onScroll);
      window.removeEventListener('wheel', onWheel);
    };
  }, [isGrowing]);
  return element;
}

function distanceToEnd(): number {
  const { scrollHeight, clientHeight } = document.documentElement;
  return scrollHeight - clientHeight - window.scrollY;
}
