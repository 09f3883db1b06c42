/** Builds `@liveai/client` from the sources that the pages run, and checks what others will install. */
import { defineConfig } from 'tsdown';

const shared = {
  format: 'esm',
  platform: 'neutral',
  target: 'es2023',
  tsconfig: '../tsconfig.json',
  outDir: 'dist',
  // Relative links between files stay the same, whatever builds them into an app.
  hash: false,
  logLevel: 'warn',
  // The types take their time.
  inputOptions: { checks: { bundlerTimings: false } },
} as const;

export default defineConfig([
  {
    ...shared,
    entry: { index: '../src/ai/index.ts', react: '../src/ai/react.ts', element: '../src/element/index.ts' },
    outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
    dts: true,
    publint: { strict: true },
    attw: { profile: 'esm-only', level: 'error', excludeEntrypoints: ['ai-block.js'] },
  },
  {
    ...shared,
    // For a page without a bundler: one file that needs nothing else, and defines the element.
    entry: { 'ai-block': '../src/element/define.ts' },
    outExtensions: () => ({ js: '.js' }),
    platform: 'browser',
    deps: { alwaysBundle: [/./u] },
    minify: true,
    clean: false,
    dts: false,
  },
]);
