/** Follows the growing end of an answer, for a reader who went there. */
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

/** The distance from the growing end that counts as being there, in px. */
const NEAR = 64;

export interface FollowedEnd<E extends HTMLElement> {
  /** For the element that grows. */
  element: RefObject<E | null>;
  /** For the bar that covers the bottom of the window meanwhile. */
  bar: RefObject<HTMLDivElement | null>;
  /** Whether the growing end is below the window. */
  isBelow: boolean;
  /** Brings the growing end into view; from then on it is followed, if it may be. */
  jump(): void;
}

/**
 * Keeps the growing end in view for a reader who scrolled down to it, and for nobody else: what is
 * read from the start must not move. Scrolling up stops it at once. A selection pauses it.
 *
 * @param mayFollow - false where something is tapped or looked at while the rest arrives.
 */
export function useFollowEnd<E extends HTMLElement>(isGrowing: boolean, mayFollow: boolean): FollowedEnd<E> {
  const element = useRef<E>(null);
  const bar = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(false);
  const [isBelow, setBelow] = useState(false);
  /** How far the end is below the visible part of the page; negative if it is in view. */
  const gap = useCallback(() => {
    const covered = bar.current?.offsetHeight ?? 0;
    return (element.current?.getBoundingClientRect().bottom ?? 0) + covered - window.innerHeight;
  }, []);
  const reveal = useCallback(() => window.scrollBy({ top: gap(), behavior: 'instant' }), [gap]);
  const jump = useCallback(() => {
    isFollowing.current = mayFollow;
    reveal();
  }, [mayFollow, reveal]);

  useEffect(() => {
    const grown = element.current;
    if (!isGrowing || !grown || typeof ResizeObserver === 'undefined') return undefined;
    let lastY = window.scrollY;
    let wasBelow = false;
    const look = () => {
      const isOut = gap() > NEAR;
      wasBelow ||= isOut;
      setBelow(isOut && !isFollowing.current);
    };
    const onScroll = () => {
      const isUp = window.scrollY < lastY;
      lastY = window.scrollY;
      if (isUp) isFollowing.current &&= gap() <= 2;
      // Only a reader who had the end to reach has gone there.
      else if (wasBelow && gap() <= NEAR) isFollowing.current = mayFollow;
      look();
    };
    const onWheel = (event: WheelEvent) => {
      // The wheel event comes before its scroll: the next growth must not override the reader.
      if (event.deltaY < 0) isFollowing.current = false;
    };
    const onKey = (event: KeyboardEvent) => {
      // The page scrolls there smoothly, and the end of a quick answer would run away.
      if (event.key === 'End' && !event.defaultPrevented) isFollowing.current = mayFollow;
    };
    const observer = new ResizeObserver(() => {
      const isSelecting = document.getSelection()?.isCollapsed === false;
      if (isFollowing.current && !isSelecting && gap() > 0) reveal();
      look();
    });
    observer.observe(grown);
    window.addEventListener('scroll', onScroll, { passive: true });
    window.addEventListener('wheel', onWheel, { passive: true });
    window.addEventListener('keydown', onKey);
    window.addEventListener('resize', look);
    return () => {
      observer.disconnect();
      window.removeEventListener('scroll', onScroll);
      window.removeEventListener('wheel', onWheel);
      window.removeEventListener('keydown', onKey);
      window.removeEventListener('resize', look);
      isFollowing.current = false;
      setBelow(false);
    };
  }, [isGrowing, mayFollow, gap, reveal]);
  return { element, bar, isBelow, jump };
}
