// One run: tests of pure functions (unit), then the pages in Chromium (browser). Driven by scripts/test.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  resolve: { preserveSymlinks: true },
  server: { fs: { strict: false } },
  cacheDir: "/tmp/cutd-vite",
  test: {
    include: ["unit/**/*.test.ts", "browser/**/*.test.ts"],
    fileParallelism: false, // two cores, and browsers want one each
    expect: { poll: { interval: 50, timeout: 30_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
