/** Shows an element, which must be focusable, on the whole screen. Esc leaves. */
import { type RefObject, useEffect, useEffectEvent, useState } from 'react';

export interface FullScreen {
  isFull: boolean;
  toggle(): void;
}

/**
 * Where the browser offers no full screen (phones of Apple) or refuses it, the element fills the
 * window instead: style it by `isFull`.
 */
export function useFullScreen(element: RefObject<HTMLElement | null>): FullScreen {
  const [isFull, setFull] = useState(false);

  const enter = () => {
    setFull(true);
    element.current?.requestFullscreen?.().catch(() => undefined);
  };
  const leave = () => {
    setFull(false);
    if (document.fullscreenElement) document.exitFullscreen().catch(() => undefined);
  };

  const onChange = useEffectEvent(() => {
    if (document.fullscreenElement === null) setFull(false);
  });
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    // Nothing else ends with this key, such as a running answer.
    event.preventDefault();
    event.stopPropagation();
    leave();
  });
  // The focus stays within: everything else is hidden behind the element.
  const onFocus = useEffectEvent(({ target }: FocusEvent) => {
    if (target instanceof Node && !element.current?.contains(target)) element.current?.focus();
  });
  useEffect(() => {
    if (!isFull) return undefined;
    document.addEventListener('fullscreenchange', onChange);
    document.addEventListener('focusin', onFocus);
    document.addEventListener('keydown', onKey, true);
    return () => {
      document.removeEventListener('fullscreenchange', onChange);
      document.removeEventListener('focusin', onFocus);
      document.removeEventListener('keydown', onKey, true);
    };
  }, [isFull]);

  return { isFull, toggle: isFull ? leave : enter };
}
