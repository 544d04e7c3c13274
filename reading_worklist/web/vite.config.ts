import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// Where `npm run dev` finds the backend; the built UI is served by the backend itself.
const backend = process.env['RDC_WEB_BACKEND'] ?? 'http://127.0.0.1:8080';
const backendPaths = ['/api', '/viewer', '/dicom-web'];

/** Runs src/early.ts before the page's other files: as a part of theirs it would wait for all of them. */
const early: Plugin = {
  name: 'rdc-early',
  transformIndexHtml: (_html, { bundle }) =>
    Object.values(bundle ?? {})
      .filter((file) => file.type === 'chunk' && file.isEntry && file.name === 'early')
      .map((file) => ({
        tag: 'script',
        attrs: { type: 'module', crossorigin: true, src: `/${file.fileName}` },
        injectTo: 'head-prepend' as const,
      })),
};

export default defineConfig({
  plugins: [react(), early],
  // The server writes another value here into each page that it sends; see web_ui.py.
  html: { cspNonce: 'RDC_CSP_NONCE' },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(backendPaths.map((path) => [path, { target: backend }])),
  },
  build: {
    target: 'es2023',
    sourcemap: false,
    // Never inline assets as data: addresses, so that the content security policy can stay 'self'.
    assetsInlineLimit: 0,
    // Ant Design's core is one chunk that every page behind the sign-in shares.
    chunkSizeWarningLimit: 900,
    rolldownOptions: { input: { main: 'index.html', early: 'src/early.ts' } },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
