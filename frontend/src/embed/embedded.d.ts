/** A style whose `:root` is a block's place (`bundle/embeddedTokens.ts`). */
declare module '*.css?embedded';
