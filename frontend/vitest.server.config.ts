/** Tests against a real server, started by Python: `tests/frontend/` runs them. */
import { defineConfig } from 'vitest/config';

import { ownPackage } from './bundle/ownPackage.ts';

export default defineConfig({
  resolve: { alias: ownPackage },
  test: {
    environment: 'node',
    include: ['tests/server/**/*.test.ts'],
    maxConcurrency: 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
