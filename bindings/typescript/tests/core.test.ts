/** The package's side of the wire, against a core that a test plays. */

import { expect, test } from "vitest";
import { ResponseError } from "vscode-jsonrpc/node";
import { currentCall } from "../src/core/context.js";
import type { Core } from "../src/core/core.js";
import {
  CallbackError,
  CancelledError,
  ConnectionLostError,
  DuplicateNameError,
  SessionError,
  UnknownNameError,
  ValidationError,
} from "../src/index.js";
import { FakeCore } from "./fake.js";
import { requirement } from "./requirement.js";

function declare(core: Core, name: string, fields: Record<string, unknown> = {}): void {
  core.catalog.add({
    kind: "tool",
    registry: "tool",
    name,
    schema: { toolName: name },
    translate: () => ({ toolName: name, ...fields }),
  });
}

const NAMES = { clientId: "client", swarmName: "s" };

test("declarations reach the core as one batch, before the first question", async () => {
  const fake = new FakeCore();
  const core = fake.core();
  declare(core, "one", { call: () => 1, callbacks: { onAfterCall: () => undefined } });
  declare(core, "two");
  core.open({ ...NAMES, mode: "session" });
  expect(fake.opened).toBe(0);
  expect(core.hasOpen("client")).toBe(true);
  await core.call("session/complete", { ...NAMES, content: "hi" });
  expect(fake.methods()).toEqual([
    "initialize",
    "catalog/declare",
    "session/open",
    "session/complete",
  ]);
  expect(fake.heard[1]?.params.declarations).toEqual([
    {
      kind: "tool",
      toolName: "one",
      call: { $callback: "tool:one.call" },
      callbacks: { onAfterCall: { $callback: "tool:one.callbacks.onAfterCall" } },
    },
    { kind: "tool", toolName: "two" },
  ]);
});

test("a later declaration goes alone, and nothing is sent twice", async () => {
  const fake = new FakeCore();
  const core = fake.core();
  declare(core, "one");
  await Promise.all([core.ready(), core.ready(), core.ready()]);
  declare(core, "two");
  await core.ready();
  const sent = fake.heard.filter((one) => one.method === "catalog/declare");
  expect(sent.map((one) => one.params.declarations)).toEqual([
    [{ kind: "tool", toolName: "one" }],
    [{ kind: "tool", toolName: "two" }],
  ]);
});

test(`a name that is taken is refused at once ${requirement("kit:register:duplicate")}`, () => {
  const core = new FakeCore().core();
  declare(core, "one");
  expect(() => declare(core, "one")).toThrow(DuplicateNameError);
});

test(`everything that is wrong with a batch is one error, each time until it is mended ${requirement("wire:declare:atomic", "kit:register:all-problems")}`, async () => {
  const issue = {
    kind: "tool",
    name: "one",
    path: "tools.one.x",
    message: "no such field",
    hint: "y?",
  };
  const fake = new FakeCore({
    "catalog/declare": () => ({ declared: [], issues: [issue, issue] }),
  });
  const core = fake.core();
  declare(core, "one");
  for (const _attempt of [1, 2]) {
    const failed = core.call("session/complete", { ...NAMES, content: "hi" });
    await expect(failed).rejects.toThrow(ValidationError);
    await expect(failed).rejects.toThrow("2 problems\n  tools.one.x: no such field (y?)");
  }
});

test("an error of the core keeps its class, its code and its details", async () => {
  const data = {
    kind: "unknown_name",
    details: { name: "x" },
    hint: "did you mean 'y'?",
    errorId: "e1",
  };
  const fake = new FakeCore({
    "session/complete": () => {
      throw new ResponseError(-32011, "no agent named 'x'", data);
    },
  });
  const error = await fake
    .core()
    .call("session/complete", { ...NAMES, content: "hi" })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnknownNameError);
  expect(error).toMatchObject({
    code: -32011,
    kind: "unknown_name",
    details: { name: "x" },
    hint: "did you mean 'y'?",
    errorId: "e1",
  });
});

test(`what a function asks carries the call that it answers ${requirement("wire:callback:nested")}`, async () => {
  const fake = new FakeCore({
    "session/complete": async (_params, core) =>
      (await core.invoke("tool:one.call", 1, { a: 2 })) as object,
  });
  const core = fake.core();
  declare(core, "one", {
    call: async (...args: unknown[]) => {
      expect(currentCall()?.clientId).toBe("client");
      await core.call("verb/getAgentName", { clientId: "client" });
      return args;
    },
  });
  const answer = await core.call("session/complete", { ...NAMES, content: "hi" });
  expect(answer).toEqual({ value: [1, { a: 2 }] });
  expect(fake.heard.at(-1)?.params).toMatchObject({ _meta: { callId: "k1" } });
  expect(currentCall()).toBeUndefined();
});

test(`what a function throws is answered, and is the cause of the failure that it makes ${requirement("wire:callback:throws")}`, async () => {
  const thrown = new TypeError("no stock");
  const fake = new FakeCore({
    "session/complete": (_params, core) => core.invoke("tool:one.call"),
  });
  const core = fake.core();
  declare(core, "one", {
    call: () => {
      throw thrown;
    },
  });
  const error = await core
    .call("session/complete", { ...NAMES, content: "hi" })
    .catch((failed: unknown) => failed);
  expect(error).toBeInstanceOf(CallbackError);
  expect((error as CallbackError).cause).toBe(thrown);
  expect((error as CallbackError).details).toMatchObject({
    name: "TypeError",
    message: "no stock",
  });
});

test(`a function that the program does not have is an error with a code of its own ${requirement("wire:callback:unknown")}`, async () => {
  const fake = new FakeCore();
  await fake.core().ready();
  await expect(fake.invoke("tool:none.call")).rejects.toMatchObject({ code: -32004 });
});

test("a result that is not JSON is an answer too", async () => {
  const fake = new FakeCore();
  const core = fake.core();
  declare(core, "one", { call: () => 1n });
  await core.ready();
  await expect(fake.invoke("tool:one.call")).rejects.toThrow("is not JSON");
});

test("functions that a function returns are lent to the core until it releases them", async () => {
  const fake = new FakeCore();
  const core = fake.core();
  declare(core, "one", { call: () => (text: string) => `${text}!` });
  await core.ready();
  const { value } = (await fake.invoke("tool:one.call")) as { value: { $callback: string } };
  expect(await fake.invoke(value.$callback, "hey")).toEqual({ value: "hey!" });
  await fake.peer.sendNotification("callback/release", { callbacks: [value.$callback] });
  await expect(fake.invoke(value.$callback, "hey")).rejects.toMatchObject({ code: -32004 });
});

test("a function of the core can be called by the program", async () => {
  const fake = new FakeCore({ "function/call": ({ args }) => ({ value: args }) });
  const core = fake.core();
  declare(core, "one", { call: async (reply: (text: string) => Promise<unknown>) => reply("yes") });
  await core.ready();
  expect(await fake.invoke("tool:one.call", { $function: "f1" })).toEqual({ value: ["yes"] });
});

test("a question is cancelled by its signal, whether the core answers or not", async () => {
  const fake = new FakeCore({ "session/complete": () => new Promise(() => undefined) });
  const controller = new AbortController();
  const asked = fake
    .core()
    .call("session/complete", { ...NAMES, content: "hi" }, controller.signal);
  setTimeout(() => controller.abort(), 20);
  await expect(asked).rejects.toThrow(CancelledError);
});

test(`a cancelled function is told so, and is answered at once ${requirement("wire:cancel:answered")}`, async () => {
  const fake = new FakeCore();
  const core = fake.core();
  let signal: AbortSignal | undefined;
  declare(core, "one", {
    call: () => {
      signal = currentCall()?.signal;
      return new Promise(() => undefined);
    },
  });
  await core.ready();
  const { CancellationTokenSource } = await import("vscode-jsonrpc/node");
  const source = new CancellationTokenSource();
  const params = { callback: "tool:one.call", args: [], call: { callId: "k1" } };
  const asked = fake.peer.sendRequest("callback/invoke", params, source.token);
  setTimeout(() => source.cancel(), 20);
  await expect(asked).rejects.toMatchObject({ code: -32800 });
  expect(signal?.aborted).toBe(true);
});

test(`when the core dies, all that waits fails; the next question finds a new one ${requirement("wire:connection:lost")}`, async () => {
  const fake = new FakeCore({
    "session/complete": ({ content }, core) => {
      if (content === "die")
        return setTimeout(() => core.die(), 10) && new Promise(() => undefined);
      return "alive";
    },
  });
  const core = fake.core();
  declare(core, "one");
  core.open({ ...NAMES, mode: "session" });
  const asked = [1, 2].map(() => core.call("session/complete", { ...NAMES, content: "die" }));
  for (const one of asked) await expect(one).rejects.toThrow(ConnectionLostError);
  fake.heard.length = 0;
  expect(await core.call("session/complete", { ...NAMES, content: "hi" })).toBe("alive");
  expect(fake.methods()).toEqual([
    "initialize",
    "catalog/declare",
    "session/open",
    "session/complete",
  ]);
  expect(fake.opened).toBe(2);
});

test(`top-level questions wait for a place; those of functions do not ${requirement("wire:request:too-many")}`, async () => {
  let running = 0;
  let most = 0;
  const fake = new FakeCore({
    "session/complete": async (_params, core) => {
      most = Math.max(most, ++running);
      await core.invoke("tool:one.call");
      running -= 1;
      return "done";
    },
  });
  const core = fake.core();
  declare(core, "one", {
    call: async () => {
      await Promise.all([1, 2, 3, 4].map(() => core.call("verb/getAgentName", { clientId: "c" })));
    },
  });
  const asked = Array.from({ length: 10 }, (_one, index) =>
    core.call("session/complete", { clientId: `c${index}`, swarmName: "s", content: "hi" }),
  );
  expect(await Promise.all(asked)).toEqual(Array(10).fill("done"));
  expect(most).toBe(3);
});

test("the process is held while something is asked, and no longer", async () => {
  const fake = new FakeCore();
  const core = fake.core();
  await core.call("session/complete", { ...NAMES, content: "hi" });
  expect(fake.held.at(-1)).toBe(false);
  const asked = core.call("session/complete", { ...NAMES, content: "hi" });
  expect(fake.held.at(-1)).toBe(true);
  await asked;
  expect(fake.held.at(-1)).toBe(false);
});

test("a session that the core refuses fails what is asked of it, for that reason", async () => {
  const fake = new FakeCore({
    "session/open": () => {
      throw new ResponseError(-32011, "no swarm named 's'", { kind: "unknown_name" });
    },
  });
  const core = fake.core();
  core.open({ ...NAMES, mode: "session" });
  expect(() => core.open({ ...NAMES, mode: "session" })).toThrow(SessionError);
  for (const _attempt of [1, 2]) {
    const asked = core.call("session/complete", { ...NAMES, content: "hi" });
    await expect(asked).rejects.toThrow("no swarm named 's'");
  }
  expect(core.hasOpen("client")).toBe(false);
  core.open({ ...NAMES, mode: "session" });
});

test(`the mirror knows what the core told ${requirement("wire:session:mirror")}`, async () => {
  const fake = new FakeCore();
  const core = fake.core();
  await core.ready();
  const changed = { ...NAMES, isOpen: true, agentName: "b", route: ["a", "b"], mode: "session" };
  await fake.peer.sendNotification("session/changed", changed);
  await core.call("verb/getAgentName", { clientId: "client" });
  expect(core.mirror.find("client")?.route).toEqual(["a", "b"]);
  await fake.peer.sendNotification("session/changed", { ...changed, isOpen: false });
  await core.call("verb/getAgentName", { clientId: "client" });
  expect(core.mirror.find("client")).toBeUndefined();
});
