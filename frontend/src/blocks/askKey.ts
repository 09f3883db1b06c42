/** Which keys ask, and how the composer says so. */
import type { KeyboardEvent } from 'react';

/** The code of a key that an input method has taken. */
const TAKEN = 229;

/**
 * Whether a key asks: Enter, also with Ctrl or ⌘. With Shift or Alt, Enter breaks the line.
 *
 * While an input method composes, Enter only ends the composition. Safari ends it before that key
 * arrives, and tells by the key's code. On a touch keyboard Enter breaks the line, as in other
 * fields there: no Shift+Enter exists, and the button is near.
 */
export function isAskKey(event: KeyboardEvent): boolean {
  const { isComposing, keyCode } = event.nativeEvent;
  if (event.key !== 'Enter' || isComposing || keyCode === TAKEN) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return !event.shiftKey && !event.altKey && !hasTouchKeyboard();
}

/** Whether the main pointer is a finger. A tablet with a keyboard counts: there, Ctrl or ⌘ helps. */
export function hasTouchKeyboard(): boolean {
  return typeof matchMedia === 'function' && matchMedia('(pointer: coarse)').matches;
}
