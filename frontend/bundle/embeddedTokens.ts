/** Gives blocks on a page of another site their custom properties, and leaves the page its own. */
import type { Plugin } from 'vite';

const TOKENS = /\/look\/tokens\.css\?embedded$/u;

export function embeddedTokens(): Plugin {
  return {
    name: 'embedded-tokens',
    enforce: 'pre',
    transform: (code, id) => (TOKENS.test(id) ? embedded(code) : undefined),
  };
}

/** Moves the rules of `:root` to the places of blocks. Each becomes one class stronger, so their order stays. */
function embedded(css: string): string {
  return css.replace(/^(\s*:root\S*) \{/gmu, '$1 .ai-block {');
}
