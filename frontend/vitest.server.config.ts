/** Tests against a real server, which Python starts: `tests/frontend/` calls them. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { environment: 'node', include: ['tests/server/**/*.test.ts'], maxConcurrency: 1 },
});
