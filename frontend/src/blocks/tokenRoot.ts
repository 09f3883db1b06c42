/** Returns an element that has the custom properties of look/tokens.css: on a page of another site, a block's place. */
export function tokenRoot(): Element {
  return document.querySelector('.ai-block') ?? document.documentElement;
}
