import { defineConfig } from "vite";

// In development (`npx vite`) the pages talk to a real daemon: CUTD_URL, its address.
const daemon = process.env.CUTD_URL ?? "http://127.0.0.1:8400";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  resolve: { preserveSymlinks: true },
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the policy allows no data: addresses
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: daemon, changeOrigin: true } } },
});
