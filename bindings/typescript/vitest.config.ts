import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    setupFiles: ["tests/environment.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Each file has a process, and a core, of its own.
    pool: "forks",
    poolOptions: { forks: { maxForks: 2, minForks: 1 } },
  },
});
