/** Where the tests find the core: this repository's own, with a folder of its own for its state. */

import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const PACKAGE = resolve(import.meta.dirname, "..");
export const REPOSITORY = resolve(PACKAGE, "../..");

const python = join(REPOSITORY, ".venv/bin/python");
process.env.WIKISWARM_PYTHON ??= existsSync(python) ? python : "python3";
process.env.PYTHONPATH = REPOSITORY;
process.env.WIKISWARM_HOME = mkdtempSync(join(tmpdir(), "wikiswarm-ts-"));
for (const name of ["WIKISWARM_FD", "WIKISWARM_CORE_URL", "WIKISWARM_TOKEN"]) {
  delete process.env[name];
}
