/**
 * How the end of a text that is still being written is completed: marks are closed, nothing that the
 * model wrote is taken away. A finished text is never repaired.
 */
import type { StreamdownProps } from 'streamdown';

type Repair = NonNullable<StreamdownProps['remend']>;

export const liveRepair: Repair = {
  // By itself the library takes `[0, 1)` for the beginning of a link, and cuts off what follows `<`.
  links: false,
  images: false,
  htmlTags: false,
  handlers: [{ name: 'link-address', handle: closeLink, priority: 0 }],
};

const OPEN_ADDRESS = /\]\((?:https?:\/\/[^\s()<>]*|mailto:[^\s()<>]*)$/u;

/** `[docs](https://exa` → `[docs](https://exa)`: a half-written address is not shown as text. */
function closeLink(text: string): string {
  return OPEN_ADDRESS.test(text) ? `${text})` : text;
}
