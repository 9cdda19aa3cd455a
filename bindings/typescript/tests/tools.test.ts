/** Tools: what they return, throw and commit, on the real core. */

import { afterAll, describe, expect, test } from "vitest";
import {
  cancelOutput,
  commitToolOutput,
  complete,
  disconnect,
  emit,
  execute,
  getRawHistory,
  hasSession,
  overrideTool,
  session,
} from "../src/index.js";
import { requirement } from "./requirement.js";
import { callOf, callsThenRepeats, declareSwarm, last, shown } from "./swarm.js";

afterAll(() => disconnect());

describe("tools", () => {
  test(`what a tool returns is its output ${requirement("S4-11", "S4-13", "S4-14", "S4-15")}`, async () => {
    const names = declareSwarm(callsThenRepeats("find"), {
      find: ({ params }) => `found ${params.x}`,
    });
    const { complete, dispose } = session(names.client, names.swarm);
    expect(await complete("hi")).toBe("said: found 1");
    expect(shown(await getRawHistory(names.client))).toEqual([
      "user:hi",
      "assistant:",
      "tool:found 1",
      "assistant:said: found 1",
    ]);
    await dispose();
    expect(hasSession(names.client)).toBe(false);
  });

  test("a tool gets the kit's record", async () => {
    let seen: object = {};
    const names = declareSwarm(
      (args) => (last(args).role === "user" ? callOf("find", "x", "id-1") : "done"),
      {
        find: (dto) => {
          seen = { ...dto };
          return "ok";
        },
      },
    );
    await complete("hi", names.client, names.swarm);
    expect(seen).toMatchObject({
      toolId: "id-1",
      clientId: names.client,
      agentName: names.agent,
      params: { x: "x" },
      toolCalls: [
        { id: "id-1", type: "function", function: { name: "find", arguments: { x: "x" } } },
      ],
      callReason: "",
      isLast: true,
    });
    expect((seen as { abortSignal: AbortSignal }).abortSignal.aborted).toBe(false);
  });

  test(`what a tool throws is told to the model ${requirement("wire:callback:throws")}`, async () => {
    const names = declareSwarm(callsThenRepeats("find"), {
      find: () => {
        throw new RangeError("out of stock");
      },
    });
    const answer = await complete("hi", names.client, names.swarm);
    expect(answer).toContain("out of stock");
  });

  test("a tool that never commits ends in an answer all the same", async () => {
    const names = declareSwarm(callsThenRepeats("find"), {
      find: () => undefined,
    });
    await overrideTool({ toolName: `find_${names.swarm.slice(6)}`, timeout: 0.2 });
    expect(await complete("hi", names.client, names.swarm)).toContain("no output within 0.2 s");
  });

  test(`a second output of one call is refused ${requirement("S4-18", "kit:commit:tool-output-once")}`, async () => {
    const refused: unknown[] = [];
    const names = declareSwarm(callsThenRepeats("find"), {
      find: async ({ toolId, clientId, agentName }) => {
        await commitToolOutput(toolId, "first", clientId, agentName);
        await commitToolOutput(toolId, "second", clientId, agentName).catch((e) => refused.push(e));
      },
    });
    expect(await complete("hi", names.client, names.swarm)).toBe("said: first");
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ kind: "tool_output" });
  });

  test("a cancelled turn aborts its tool", async () => {
    let signal: AbortSignal | undefined;
    const names = declareSwarm(callsThenRepeats("find"), {
      find: ({ abortSignal }) => {
        signal = abortSignal;
        return new Promise((_resolve, reject) => {
          abortSignal.addEventListener("abort", () => reject(abortSignal.reason));
        });
      },
    });
    const { complete, dispose } = session(names.client, names.swarm);
    const controller = new AbortController();
    const asked = complete("hi", null, { signal: controller.signal });
    while (signal === undefined) await new Promise((go) => setTimeout(go, 5));
    controller.abort();
    await expect(asked).rejects.toMatchObject({ kind: "cancelled" });
    while (!signal.aborted) await new Promise((go) => setTimeout(go, 5));
    await dispose();
  });

  test("cancelOutput ends the turn with an empty answer", async () => {
    const names = declareSwarm(callsThenRepeats("find"), {
      find: async ({ clientId, agentName }) => cancelOutput(clientId, agentName),
    });
    expect(await complete("hi", names.client, names.swarm)).toBe("");
  });

  test(`execute inside of a tool asks the model again, and emit answers for it ${requirement("S4-19", "kit:talk:execute", "kit:talk:emit")}`, async () => {
    const names = declareSwarm(
      (args) => {
        const { content, mode } = last(args);
        return mode === "user" && last(args).role === "user" ? callOf("find") : `heard ${content}`;
      },
      {
        find: async ({ toolId, clientId, agentName }) => {
          await commitToolOutput(toolId, "ok", clientId, agentName);
          const inner = await execute("sum up", clientId, agentName);
          await emit(`<${inner}>`, clientId, agentName);
        },
      },
    );
    expect(await complete("hi", names.client, names.swarm)).toBe("<heard sum up>");
  });

  test(`any text arrives as it was, a megabyte of it too ${requirement("wire:callback:invoke")}`, async () => {
    const odd = 'snow ☃ 漢字 🧪 "\\ \n\u2028\u0000'.replaceAll("\u0000", "");
    const long = "ж".repeat(512 * 1024);
    const names = declareSwarm((args) => last(args).content, {});
    const { complete, dispose } = session(names.client, names.swarm);
    expect(await complete(odd)).toBe(odd);
    expect(await complete(long)).toBe(long);
    await dispose();
  });

  test("200 clients at once each get their own answer", async () => {
    const names = declareSwarm(callsThenRepeats("find"), { find: ({ clientId }) => clientId });
    const clients = Array.from({ length: 200 }, (_one, index) => `many-${index}`);
    const answers = await Promise.all(clients.map((one) => complete("hi", one, names.swarm)));
    expect(answers).toEqual(clients.map((one) => `said: ${one}`));
  });
});
