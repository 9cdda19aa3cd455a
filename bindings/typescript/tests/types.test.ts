/** What the compiler knows of the package; `tsc` checks this file as well. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, expectTypeOf, test } from "vitest";
import {
  type addTool,
  type addWiki,
  ERRORS,
  type getLastUserMessage,
  type getPayload,
  type IModelMessage,
  type IToolCallParams,
  Schema,
  SessionError,
  type State,
  SwarmError,
  type session,
  setConfig,
} from "../src/index.js";
import { PACKAGE } from "./environment.js";

test("functions are typed by where they stand", () => {
  type Wiki = Parameters<typeof addWiki>[0];
  expectTypeOf<Parameters<NonNullable<Wiki["getChat"]>>[0]["message"]>().toEqualTypeOf<string>();
  expectTypeOf<ReturnType<typeof getLastUserMessage>>().toEqualTypeOf<Promise<string>>();
  expectTypeOf<Parameters<Parameters<typeof addTool<{ x: number }>>[0]["call"]>[0]>().toEqualTypeOf<
    IToolCallParams<{ x: number }>
  >();
  expectTypeOf<ReturnType<typeof getPayload<{ a: 1 }>>>().toEqualTypeOf<{ a: 1 } | null>();
  expectTypeOf<ReturnType<typeof session>["complete"]>().returns.toEqualTypeOf<Promise<string>>();
  expectTypeOf<ReturnType<typeof State.getState<number>>>().toEqualTypeOf<Promise<number>>();
  expectTypeOf<IModelMessage["role"]>().toEqualTypeOf<
    "assistant" | "system" | "tool" | "user" | "developer"
  >();
});

test.each(["generate.mjs", "exports.mjs"])("what %s makes is in step", (script) => {
  const run = spawnSync(process.execPath, [join(PACKAGE, "scripts", script), "--check"], {
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
});

test("every error class has a kind and a code of its own", () => {
  const classes = Object.values(ERRORS);
  expect(new Set(classes.map((one) => one.code)).size).toBe(classes.length);
  const error = new SessionError("gone", { hint: "open it" });
  expect(error).toBeInstanceOf(SwarmError);
  expect(error).toMatchObject({
    name: "SessionError",
    kind: "session_error",
    code: -32060,
    hint: "open it",
  });
});

test("settings without a meaning here are refused", () => {
  expect(() => setConfig({ CC_SKIP_POSIX_RENAME: true } as never)).toThrow("CC_SKIP_POSIX_RENAME");
});

test("objects become lines of text", () => {
  const text = Schema.serialize({
    unitPrice: 12,
    tags: ["a", "b"],
    owner: { userID: 7, isPaid: true },
  });
  expect(text).toBe("Unit price: 12\nTags: a, b\nOwner user ID: 7\nOwner is paid: yes");
});
