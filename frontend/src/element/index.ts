/** The custom element `<ai-block>`: `@liveai/client/element`. Registers nothing by itself. */
import { AIBlockElement } from './aiBlock';

export { AIBlockElement };
export type { AIBlockEvents } from './aiBlock';

/**
 * Registers the element, by default as `<ai-block>`. May be called again, and on a server, where it
 * does nothing.
 */
export function defineAIBlock(name = 'ai-block'): void {
  if (typeof customElements === 'undefined' || customElements.get(name)) return;
  // An element has one name, so another name needs a class of its own.
  customElements.define(name, class extends AIBlockElement {});
}
