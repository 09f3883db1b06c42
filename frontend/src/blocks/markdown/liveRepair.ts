/**
 * Completes the end of a text that is still being written.
 * It closes marks and removes nothing that the model wrote. A finished text is never repaired.
 */
import type { StreamdownProps } from 'streamdown';

type Repair = NonNullable<StreamdownProps['remend']>;

export const liveRepair: Repair = {
  // By default, the library mistakes `[0, 1)` for the start of a link, and cuts off what follows
  // `<`.
  links: false,
  images: false,
  htmlTags: false,
  // Formulas are hidden from it; what is left of `$$` is no formula.
  katex: false,
  handlers: [{ name: 'link-address', handle: closeLink, priority: 0 }],
};

const OPEN_ADDRESS = /\]\((?:https?:\/\/[^\s()<>]*|mailto:[^\s()<>]*)$/u;

/**
 * `[docs](https://exa` → `[docs](https://exa)`, so that an incomplete address is not shown as text.
 */
function closeLink(text: string): string {
  return OPEN_ADDRESS.test(text) ? `${text})` : text;
}
