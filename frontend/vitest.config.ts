import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

import { ownPackage } from './bundle/ownPackage.ts';

const PAGES = 'src/pages/**/*.test.{ts,tsx}';

const shared = {
  environment: 'jsdom',
  setupFiles: ['tests/patience.ts'],
  restoreMocks: true,
  unstubGlobals: true,
  // A hanging test fails by name. jsdom is slow when two cores are shared.
  testTimeout: 20_000,
  hookTimeout: 20_000,
};

export default defineConfig({
  plugins: [react()],
  resolve: { alias: ownPackage },
  test: {
    projects: [
      // A page uses what lives once in a browser tab: the address, the client, the store.
      { extends: true, test: { ...shared, name: 'pages', include: [PAGES] } },
      // All others share a worker's jsdom and modules, which takes half as long.
      {
        extends: true,
        test: {
          ...shared,
          name: 'parts',
          include: ['src/**/*.test.{ts,tsx}', 'tests/unit/**/*.test.{ts,tsx}'],
          exclude: [PAGES],
          isolate: false,
        },
      },
    ],
  },
});
