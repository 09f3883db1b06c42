import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}', 'tests/unit/**/*.test.{ts,tsx}'],
    setupFiles: ['tests/patience.ts'],
    restoreMocks: true,
    // A hanging test fails by name. jsdom is slow when two cores are shared.
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
