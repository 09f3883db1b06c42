import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { notices } from './bundle/notices.ts';

export default defineConfig({
  base: '/static/ai/',
  plugins: [react(), notices()],
  resolve: {
    // Leaves ELK out: the pages set `layout: 'dagre'`. Mermaid imports it by a name that ends in a hash.
    alias: [{ find: /^\.\/elk-\w+\.mjs$/u, replacement: fileURLToPath(new URL('bundle/absentLayout.ts', import.meta.url)) }],
  },
  // `npm run dev` beside a Django with FRONTEND_DEV_SERVER=true; fonts and the like are asked of Vite too.
  server: { port: 5173, strictPort: true, origin: 'http://localhost:5173' },
  build: {
    outDir: 'dist',
    manifest: 'manifest.json',
    rolldownOptions: { input: 'src/pages/main.tsx' },
    assetsInlineLimit: 0,
  },
});
