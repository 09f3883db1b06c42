/** The looks of `<ai-block>`. Pages change them by custom properties and by `::part()`. */

const CSS = `
:host {
  display: block;
  color: var(--ai-block-color, inherit);
  font: var(--ai-block-font, inherit);
}
:host([hidden]), [hidden] { display: none; }
p { margin: 0 0 var(--ai-block-gap, 0.75em); white-space: pre-wrap; overflow-wrap: anywhere; }
ol, ul { margin: 0 0 var(--ai-block-gap, 0.75em); padding-inline-start: 1.5em; }
pre { overflow-x: auto; }
[part='title'] { font-size: 1.2em; font-weight: 600; }
[part='options'] { list-style: upper-alpha; }
[part='status'] { color: var(--ai-block-muted, GrayText); font-size: 0.875em; }
[part='error'] { color: var(--ai-block-error, #b3261e); }
button {
  font: inherit;
  color: inherit;
  background: var(--ai-block-button, transparent);
  border: 1px solid currentColor;
  border-radius: var(--ai-block-radius, 0.375em);
  padding: 0.25em 0.75em;
}
button:focus-visible, summary:focus-visible { outline: 2px solid var(--ai-block-focus, Highlight); outline-offset: 2px; }
`;

let sheet: CSSStyleSheet | undefined;

/** One sheet for all elements. A page's policy (`style-src`) allows it, unlike a `<style>`. */
export function adoptStyles(root: ShadowRoot): void {
  if (!('adoptedStyleSheets' in root)) return; // an old browser shows the answer in its own styles
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  root.adoptedStyleSheets = [sheet];
}
