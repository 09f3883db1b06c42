import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { embeddedTokens } from './bundle/embeddedTokens.ts';
import { modernFonts } from './bundle/modernFonts.ts';
import { notices } from './bundle/notices.ts';
import { ownPackage } from './bundle/ownPackage.ts';

export default defineConfig(({ command }) => ({
  // One build serves any SITE_PATH, because its files find each other from where they are. The dev
  // server needs the address that Django writes into the page.
  base: command === 'serve' ? `${process.env.SITE_PATH ?? '/'}static/ai/` : './',
  plugins: [react(), embeddedTokens(), modernFonts(), notices()],
  resolve: {
    alias: [
      ...ownPackage,
      // Leaves out ELK: the pages set `layout: 'dagre'`. Mermaid imports it by a name that ends in a
      // hash.
      { find: /^\.\/elk-\w+\.mjs$/u, replacement: fileURLToPath(new URL('bundle/absentLayout.ts', import.meta.url)) },
    ],
  },
  // `npm run dev` next to a Django with FRONTEND_DEV_SERVER=true; Vite also serves fonts and other
  // assets.
  server: { port: 5173, strictPort: true, origin: 'http://localhost:5173' },
  build: {
    outDir: 'dist',
    manifest: 'manifest.json',
    // The fonts are a file of their own, because the accounts' pages (liveai/templates) use it, too.
    rolldownOptions: {
      input: ['src/pages/main.tsx', 'src/admin/preview.tsx', 'src/admin/transcript.tsx', 'src/embed/embed.tsx', 'src/look/fonts.css'],
    },
    assetsInlineLimit: 0,
  },
}));
