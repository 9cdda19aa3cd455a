/** The example asserts its own result, over each transport. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "./environment.js";
import { runProgram, writeProgram } from "./programs.js";

const EXAMPLE = join(REPOSITORY, "examples/pharma/program.ts");

test.each(["stdio", "fd", "websocket"] as const)("examples/pharma over %s", async (transport) => {
  const place = writeProgram("example.ts", readFileSync(EXAMPLE, "utf8"));
  const result = await runProgram(place, { transport });
  expect(result.stderr).toBe("");
  expect(result.stdout).toContain("4.80 euros");
  expect(result.code).toBe(0);
});
