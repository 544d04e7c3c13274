import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// Where `npm run dev` finds the backend; the built UI is served by the backend itself.
const backend = process.env['RDC_WEB_BACKEND'] ?? 'http://127.0.0.1:8080';
const backendPaths = ['/api', '/viewer', '/dicom-web'];

export default defineConfig({
  plugins: [react()],
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
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
