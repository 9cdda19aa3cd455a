/** This package passes the checks that any binding has to. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PACKAGE } from "./environment.js";

test("python -m bindings.conformance", () => {
  const program = [process.execPath, "--import", "tsx", join(PACKAGE, "tests/conformance.ts")];
  const run = spawnSync(
    process.env.WIKISWARM_PYTHON ?? "python3",
    ["-m", "bindings.conformance", ...program],
    { cwd: PACKAGE, encoding: "utf8" },
  );
  expect(run.stdout).not.toContain("FAIL");
  expect(run.stdout).toMatch(/(\d+) of \1 checks passed/);
  expect(run.status).toBe(0);
}, 60_000);
