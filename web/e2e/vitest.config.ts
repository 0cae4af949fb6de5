import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Browser tests against the real binary. One after another: they share the machine's cores, and each lab has one browser.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  test: {
    include: ["**/*.test.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    retry: 0,
  },
});
