/** The entry points of the package `@liveai/client`, as sources: the pages run what is shipped. */
import { fileURLToPath } from 'node:url';

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** Aliases for Vite. `tsconfig.json` has the same ones, and `package/package.json` their builds. */
export const ownPackage = [
  { find: /^@liveai\/client$/u, replacement: source('ai/index.ts') },
  { find: /^@liveai\/client\/react$/u, replacement: source('ai/react.ts') },
  { find: /^@liveai\/client\/element$/u, replacement: source('element/index.ts') },
];
