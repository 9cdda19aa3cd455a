/** A core that does what it may not: a typed error or a clean end, and never a wait without one. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { currentCall } from "../src/core/context.js";
import { Link } from "../src/core/link.js";
import { ThrownErrors } from "../src/errors/wire.js";
import { ConnectionLostError, UnsupportedProtocolError } from "../src/index.js";
import { type Frame, LIMIT, RawCore, WAYS } from "./raw.js";
import { requirement } from "./requirement.js";

const QUESTION = { clientId: "client", swarmName: "s", content: "hi" };

function declare(raw: RawCore, name: string, call: () => unknown): void {
  raw.core.catalog.add({
    kind: "tool",
    registry: "tool",
    name,
    schema: {},
    translate: () => ({ toolName: name, call }),
  });
}

describe.each(WAYS)("over %s", (way) => {
  let raw: RawCore;
  beforeEach(async () => {
    raw = await RawCore.start(way);
    declare(raw, "echo", () => "echo");
    declare(raw, "wait", () => new Promise(() => undefined));
  });
  afterEach(() => raw.stop());

  /** Connect, as a program with two functions. */
  async function connected(): Promise<void> {
    const ready = raw.core.ready();
    const { id } = await raw.next(({ method }) => method === "catalog/declare");
    raw.send({ id: id ?? null, result: { declared: [], issues: [] } });
    await ready;
  }

  /** Check that the connection is as it was. */
  async function serves(): Promise<void> {
    raw.invoke(7000, "tool:echo.call");
    expect(await raw.answer(7000)).toMatchObject({ result: { value: "echo" } });
    expect(raw.opened).toBe(1);
  }

  test(`it says who it is, and waits for the answer ${requirement("wire:handshake:welcome", "wire:handshake:first")}`, async () => {
    const { welcome } = raw;
    raw.welcome = null;
    const ready = raw.core.ready();
    const first = await raw.next(() => true);
    expect(first).toMatchObject({
      method: "initialize",
      params: {
        protocol: 1,
        minProtocol: 1,
        program: { name: "wikiswarm", language: "typescript" },
      },
    });
    raw.send({ id: first.id ?? null, ...welcome });
    const { id } = await raw.next(() => true);
    raw.send({ id: id ?? null, result: { declared: [], issues: [] } });
    expect((await ready).limits.maxMessageBytes).toBe(LIMIT);
  });

  test.each<[string, Frame]>([
    [
      "a refusal",
      {
        error: {
          code: -32001,
          message: "version 2 is spoken here",
          data: { kind: "unsupported_protocol" },
        } as Frame["error"],
      } as Frame,
    ],
    ["another version", { result: { protocol: 99, limits: { maxMessageBytes: 1 } } }],
    ["nothing", { result: null }],
    ["something else", { result: { name: "other" } }],
  ])(`to a wrong version: %s ${requirement("wire:handshake:version")}`, async (_name, welcome) => {
    raw.welcome = welcome;
    const asked = raw.core.call("session/complete", QUESTION);
    await expect(asked).rejects.toBeInstanceOf(UnsupportedProtocolError);
  });

  test("a core that never answers the handshake is given up", async () => {
    raw.welcome = null;
    const opening = Link.open(await raw.open(), raw.core, new ThrownErrors(), 50);
    await expect(opening).rejects.toThrow(ConnectionLostError);
    await expect(opening).rejects.toThrow("said nothing for 0.05 s");
  });

  test(`what is no JSON ends the connection; the next question begins another ${requirement("wire:frame:malformed")}`, async () => {
    await connected();
    const asked = raw.core.call("session/complete", QUESTION);
    await raw.next(({ method }) => method === "session/complete");
    raw.send('{"jsonrpc": "2.0", ');
    await expect(asked).rejects.toThrow(ConnectionLostError);
    await connected();
    expect(raw.opened).toBe(2);
  });

  test(`JSON that is no message is dropped ${requirement("wire:frame:malformed")}`, async () => {
    await connected();
    for (const text of ["null", "5", '"text"', "[]", "{}", '{"jsonrpc": "2.0"}', '{"method": 5}']) {
      raw.send(text);
    }
    raw.send('{"jsonrpc": "2.0", "id": null, "method": "callback/invoke"}');
    raw.send('{"jsonrpc": "2.0", "method": "$/ack", "params": null}');
    raw.send('{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 99}}');
    await serves();
  });

  test(`an answer to nothing is dropped ${requirement("wire:frame:reply-to-nothing")}`, async () => {
    await connected();
    raw.send({ id: 987654, result: { value: 1 } });
    raw.send({ id: "nobody", error: { code: -1, message: "no" } });
    raw.send({ id: null, error: { code: -1, message: "no" } });
    await serves();
  });

  test(`what it does not know is refused, or dropped ${requirement("wire:request:unknown-method", "wire:callback:unknown")}`, async () => {
    await connected();
    raw.send({ id: 1, method: "from/theFuture", params: {} });
    expect(await raw.answer(1)).toMatchObject({ error: { code: -32601 } });
    raw.send({ method: "from/theFuture", params: {} });
    raw.send({ method: "callback/notify", params: { callback: "tool:nobody.call", args: [] } });
    raw.invoke(2, "tool:nobody.call");
    expect(await raw.answer(2)).toMatchObject({ error: { code: -32004 } });
    await serves();
  });

  test(`params that do not fit are an error ${requirement("wire:frame:malformed")}`, async () => {
    await connected();
    raw.send({ id: 1, method: "callback/invoke" });
    expect(await raw.answer(1)).toHaveProperty("error");
    raw.send({ id: 2, method: "callback/invoke", params: { callback: "tool:echo.call" } });
    expect(await raw.answer(2)).toHaveProperty("error");
    for (const method of [
      "callback/notify",
      "callback/release",
      "event",
      "log",
      "session/changed",
    ]) {
      raw.send({ method });
      raw.send({ method, params: {} });
    }
    await serves();
  });

  test(`an id that is in use is refused, and the first request goes on ${requirement("wire:request:duplicate-id")}`, async () => {
    await connected();
    const calls: ((value: string) => void)[] = [];
    raw.core.functions.keep("slow", () => new Promise((resolve) => calls.push(resolve)));
    raw.invoke(1, "slow");
    raw.invoke(1, "slow");
    expect(await raw.answer(1)).toMatchObject({ error: { code: -32600 } });
    await serves();
    expect(calls).toHaveLength(1);
    calls[0]?.("first");
    expect(await raw.answer(1)).toMatchObject({ result: { value: "first" } });
    raw.invoke(1, "tool:echo.call");
    expect(await raw.answer(1)).toMatchObject({ result: { value: "echo" } });
  });

  test(`a frame over the limit ends the connection ${requirement("wire:frame:oversized")}`, async () => {
    await connected();
    const asked = raw.core.call("session/complete", QUESTION);
    const { id } = await raw.next(({ method }) => method === "session/complete");
    raw.send({ id: id ?? null, result: "x".repeat(2 * LIMIT) });
    await expect(asked).rejects.toThrow(ConnectionLostError);
    await connected();
  });

  test(`an answer over the limit is an error in its place ${requirement("wire:frame:oversized")}`, async () => {
    await connected();
    raw.core.functions.keep("large", () => "x".repeat(2 * LIMIT));
    raw.invoke(1, "large");
    expect(await raw.answer(1)).toMatchObject({ error: { code: -32006 } });
    const asked = raw.core.call("session/complete", {
      ...QUESTION,
      content: "x".repeat(2 * LIMIT),
    });
    await expect(asked).rejects.toMatchObject({ kind: "message_too_large" });
    await serves();
  });

  test(`with a call ends what it asked for ${requirement("wire:callback:nested-cancelled", "wire:cancel:answered")}`, async () => {
    await connected();
    let signal: AbortSignal | undefined;
    raw.core.functions.keep("nested", async () => {
      signal = currentCall()?.signal;
      await raw.core.call("verb/getAgentName", { clientId: "client" });
    });
    raw.invoke(1, "nested", "k-nested");
    const nested = await raw.next(({ method }) => method === "verb/getAgentName");
    expect(nested.params).toMatchObject({ _meta: { callId: "k-nested" } });
    raw.send({ method: "$/cancelRequest", params: { id: 1 } });
    expect(await raw.answer(1)).toMatchObject({ error: { code: -32800 } });
    const cancel = await raw.next(({ method }) => method === "$/cancelRequest");
    expect(cancel.params).toEqual({ id: nested.id });
    expect(signal?.aborted).toBe(true);
    await serves();
  });

  test(`a function that waits holds up no other ${requirement("wire:callback:concurrent")}`, async () => {
    await connected();
    raw.invoke(1, "tool:wait.call");
    await serves();
    expect(raw.frames.filter(({ method }) => method === undefined)).toEqual([]);
  });

  test(`a core that does not read is waited for, and gets everything in the end ${requirement("wire:connection:slow-reader")}`, async () => {
    await connected();
    raw.read(false);
    let encoded = 0;
    const count = 400;
    const asked = Array.from({ length: count }, (_one, index) => {
      const content = {
        toJSON() {
          encoded += 1;
          return `${index} ${"x".repeat(60_000)}`;
        },
      };
      return raw.core.call("session/complete", { ...QUESTION, content: content as never });
    });
    const most = await settled(() => encoded);
    // What the sockets of the system take, and a megabyte; not the 24 MB of all questions.
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(count / 2);
    raw.read(true);
    for (let index = 0; index < count; index += 1) {
      const { id, params } = await raw.next(({ method }) => method === "session/complete");
      const content = params?.content as string;
      expect(content.split(" ")[0]).toBe(String(index));
      raw.send({ id: id ?? null, result: content.slice(0, 8) });
    }
    const answers = await Promise.all(asked);
    expect(answers.map((one) => Number.parseInt(one, 10))).toEqual([...answers.keys()]);
  });
});

/** Return a number once it has not changed for a while. */
async function settled(read: () => number): Promise<number> {
  for (let before = -1; before !== read(); ) {
    before = read();
    await new Promise((go) => setTimeout(go, 50));
  }
  return read();
}
