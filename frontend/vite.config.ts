import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/static/ai/',
  plugins: [react()],
  // `npm run dev` beside a Django with FRONTEND_DEV_SERVER=true; fonts and the like are asked of Vite too.
  server: { port: 5173, strictPort: true, origin: 'http://localhost:5173' },
  build: {
    outDir: 'dist',
    manifest: 'manifest.json',
    rolldownOptions: { input: 'src/pages/main.tsx' },
    assetsInlineLimit: 0,
  },
});
