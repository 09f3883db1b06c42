import { useEffect, useEffectEvent } from 'react';

/**
 * Handles Esc anywhere on the page, unless something closer handled it (a menu, a dialog, an input
 * method).
 */
export function useEscape(callback: () => void, isOn: boolean): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
    if (document.querySelector('dialog[open]')) return;
    event.preventDefault();
    callback();
  });
  useEffect(() => {
    if (!isOn) return undefined;
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [isOn]);
}
