/** A file's exports as functions of the core's declarations, without a core. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ParameterStructures } from "vscode-jsonrpc/node";
import { core } from "../src/core/core.js";
import { shared } from "../src/core/shared.js";
import { binder } from "../src/hosting.js";
import { FakeCore } from "./fake.js";

function write(name: string, text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "wikiswarm-")), name);
  writeFileSync(file, text);
  return file;
}

const file = write(
  "file.mjs",
  `export const a = (value) => ["a", value];
   export const b = () => "b";
   export const number = 3;
   export default (value) => ["default", value];`,
);

function bound(kind: string, name: string, field: string, exported: string) {
  return { kind, name, field, export: exported };
}

function run(id: string, ...args: unknown[]): unknown {
  return core.functions.get(id)?.(...args);
}

test("functions are bound by the ids of declarations, also later", async () => {
  const bind = binder(file);
  const functions = [bound("state", "s", "middlewares.1", "a")];
  const exports = ["a", "b", "default"];
  expect(await bind({ functions })).toEqual({ exports, missing: [] });
  expect(await bind({ functions: [bound("state", "s", "getDefault", "default")] })).toEqual({
    exports,
    missing: [],
  });
  expect(run("state:s.middlewares.1", 2)).toEqual(["a", 2]);
  expect(run("state:s.middlewares.0", 2)).toBeUndefined();
  expect(run("state:s.getDefault", 2)).toEqual(["default", 2]);
});

test("where one is missing, all that are missing are named and none is bound", async () => {
  const functions = ["a", "c", "number", "c"].map((one) => bound("wiki", "w", "getChat", one));
  expect((await binder(file)({ functions })).missing).toEqual(["c", "number"]);
  expect(core.functions.get("wiki:w.getChat")).toBeUndefined();
});

test("what is no field of a kind is refused", async () => {
  const functions = [bound("weather", "w", "call", "a")];
  await expect(binder(file)({ functions })).rejects.toThrow("call of a weather is no function");
});

test("exports of CommonJS are found, whatever reads them", async () => {
  const plain = write("file.cjs", "module.exports = Object.assign({}, { computed: () => 1 });");
  const functions = [bound("wiki", "plain", "getChat", "computed")];
  expect((await binder(plain)({ functions })).missing).toEqual([]);
});

test("a program that declares by itself binds nothing", async () => {
  const fake = new FakeCore();
  await fake.core().ready();
  const asked = fake.peer.sendRequest("function/bind", ParameterStructures.byName, {
    functions: [],
  });
  await expect(asked).rejects.toMatchObject({ code: -32601 });
});

test("a process has one of each thing, however often the package is loaded", () => {
  const first = shared("test", () => ({}));
  expect(shared("test", () => ({}))).toBe(first);
  expect(shared("core", () => null)).toBe(core);
});
