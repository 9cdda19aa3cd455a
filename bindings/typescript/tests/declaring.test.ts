/** Declarations, overrides and events, on the real core. */

import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  addAgent,
  addCompletion,
  complete,
  DuplicateNameError,
  disconnect,
  dumpDocs,
  event,
  getAgentName,
  type IBusEvent,
  listenAgentEvent,
  listenEvent,
  overrideAgent,
  ProviderError,
  SwarmError,
  scope,
  session,
  ValidationError,
  validate,
} from "../src/index.js";
import { declareSwarm } from "./swarm.js";

afterAll(() => disconnect());

describe("declarations and events", () => {
  test("names are taken at once; what is wrong is told with the next question", async () => {
    addCompletion({ completionName: "twice", getCompletion: () => "x" });
    expect(() => addCompletion({ completionName: "twice", getCompletion: () => "x" })).toThrow(
      DuplicateNameError,
    );
    expect(() => validate({ AgentName: { Nobody: "nobody" } })).toThrow("nobody");
    await scope(async () => {
      addAgent({ agentName: "lost", completion: "no such completion" } as never);
      await expect(validate()).rejects.toThrow(ValidationError);
    });
    await validate();
  });

  test("an override holds for sessions that open later, and ends with its scope", async () => {
    const names = declareSwarm((args) => args.messages[0]?.content ?? "", {});
    expect(await complete("hi", names.client, names.swarm)).toBe("Sell.");
    await scope(async () => {
      await overrideAgent({ agentName: names.agent, prompt: "Buy." });
      expect(await complete("hi", names.client, names.swarm)).toBe("Buy.");
    });
    expect(await complete("hi", names.client, names.swarm)).toBe("Sell.");
  });

  test("what a completion throws is the cause of the typed failure", async () => {
    const thrown = new RangeError("quota");
    const names = declareSwarm(() => {
      throw thrown;
    }, {});
    const failed = await complete("hi", names.client, names.swarm).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(SwarmError);
    expect((failed as Error).message).toContain("quota");
    expect((failed as Error).cause ?? thrown).toBe(thrown);
    void ProviderError;
  });

  test("events come in order, of one client or of all", async () => {
    const names = declareSwarm(() => "hello", {});
    const heard: IBusEvent[] = [];
    const topics: unknown[] = [];
    const stop = listenAgentEvent(names.client, (one) => heard.push(one));
    listenEvent(
      "*",
      "paid",
      ({ order }: { order: number }) => order > 1,
      (one) => topics.push(one),
    );
    const opened = session(names.client, names.swarm);
    await opened.complete("hi");
    await event(names.client, "paid", { order: 1 });
    await event(names.client, "paid", { order: 2 });
    await getAgentName(names.client);
    await new Promise((go) => setTimeout(go, 50));
    stop();
    expect(heard.map((one) => one.type)).toContain("emit-output");
    expect(heard.every((one) => one.source === "agent-bus")).toBe(true);
    expect(topics).toEqual([{ order: 2 }]);
    await opened.dispose();
  });

  test("the documentation says what is declared", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wikiswarm-docs-"));
    declareSwarm(() => "x", {}, { docDescription: "Sells what it has" });
    const [text = "", graph = ""] = await dumpDocs("shop", folder);
    expect(readFileSync(text, "utf8")).toContain("Sells what it has");
    expect(readFileSync(graph, "utf8")).toContain("flowchart");
  });
});
