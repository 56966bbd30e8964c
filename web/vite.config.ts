import { defineConfig } from "vite";
import { mock_api } from "./mock/plugin";

// In development the pages talk to a real daemon at CUTD_URL (`npm run dev`), or to a mock of it (`npm run mock`).
const daemon = process.env.CUTD_URL ?? "http://127.0.0.1:8400";

export default defineConfig(({ mode }) => ({
  plugins: mode === "mock" ? [mock_api()] : [],
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  resolve: { preserveSymlinks: true },
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the policy allows no data: addresses
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: mode === "mock" ? {} : { proxy: { "/api": { target: daemon, changeOrigin: true } } },
}));
