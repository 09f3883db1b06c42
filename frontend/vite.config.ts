import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/static/ai/',
  plugins: [react()],
  build: {
    outDir: 'dist',
    manifest: 'manifest.json',
    rolldownOptions: { input: 'src/pages/main.tsx' },
    assetsInlineLimit: 0,
  },
});
