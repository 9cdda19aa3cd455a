/** What both sides of the wire owe each other, on the real core. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Core, core } from "../src/core/core.js";
import type { Notifications } from "../src/generated/methods.js";
import { addSwarm, complete, disconnect, overrideTool, session } from "../src/index.js";
import { encodeMessage } from "../src/wire/encode.js";
import { openTransport } from "../src/wire/transport.js";
import { PACKAGE, REPOSITORY } from "./environment.js";
import { runProgram, startCore, startProgram, writeProgram } from "./programs.js";
import { requirement } from "./requirement.js";
import { callsThenRepeats, declareSwarm } from "./swarm.js";

let started: Awaited<ReturnType<typeof startCore>>;
beforeAll(async () => {
  started = await startCore(process.env, "--resume-window", "0.3");
  process.env.WIKISWARM_CORE_URL = started.url;
  process.env.WIKISWARM_TOKEN = started.token;
});
afterAll(async () => {
  await disconnect();
  started.child.kill();
});

test(`a tool that is too slow is told so, and the turn goes on ${requirement("wire:callback:deadline")}`, async () => {
  let reason: unknown;
  const names = declareSwarm(callsThenRepeats("find"), {
    find: ({ abortSignal }) =>
      new Promise((_resolve, reject) => {
        abortSignal.addEventListener("abort", () => {
          reason = abortSignal.reason;
          reject(reason);
        });
      }),
  });
  await overrideTool({ toolName: `find_${names.swarm.slice(6)}`, timeout: 0.2 });
  expect(await complete("hi", names.client, names.swarm)).toContain("0.2 s");
  expect(reason).toMatchObject({ kind: "cancelled" });
});

test(`events have numbers ${requirement("wire:events:numbered")}`, async () => {
  const names = declareSwarm(() => "hello", {});
  const heard: Notifications["event"][] = [];
  const stop = core.subscribe({ clientId: "*", bus: "agent-bus", once: false }, (one) =>
    heard.push(one),
  );
  await complete("hi", names.client, names.swarm);
  await complete("ho", names.client, names.swarm);
  stop();
  expect(heard.length).toBeGreaterThan(1);
  expect(heard.map((one) => one.seq)).toEqual(heard.map((_one, index) => index + 1));
});

describe("programs on one core", () => {
  const OTHER = `
import { addAgent, addCompletion, addTool, validate } from "wikiswarm";
addCompletion({
  completionName: "theirs",
  getCompletion: ({ messages }) => "the other program heard " + messages.at(-1).content,
});
addAgent({ agentName: "theirs", completion: "theirs" });
addTool({
  toolName: "hangs",
  function: { name: "hangs", description: "h", parameters: { type: "object" } },
  call: () => {
    console.log("in the tool");
    return new Promise(() => undefined);
  },
});
await validate();
console.log("ready");
setInterval(() => undefined, 1_000);
`;

  test(`one that dies in its handshake harms no other ${requirement("wire:connection:lost")}`, async () => {
    const transport = await openTransport();
    void transport.writer.write({ jsonrpc: "2.0" });
    transport.close();
    expect(await complete("hi", "after", declareSwarm(() => "here", {}).swarm)).toBe("here");
  });

  test(`agents of two are in one swarm; one that is killed in its tool harms no other ${requirement("wire:declare:first-come", "wire:connection:lost")}`, async () => {
    const other = startProgram(writeProgram("other.ts", OTHER));
    await other.said("ready");
    const names = declareSwarm(callsThenRepeats("hangs"), {}, { tools: ["hangs" as never] });
    addSwarm({ swarmName: "mixed", agentList: [names.agent, "theirs"], defaultAgent: "theirs" });
    expect(await complete("hi", "mixed-1", "mixed")).toBe("the other program heard hi");
    // A name that another program has is not free.
    const third = new Core(() => openTransport());
    third.catalog.add({
      kind: "agent",
      registry: "agent",
      name: "theirs",
      schema: {},
      translate: () => ({ agentName: "theirs", completion: "theirs" }),
    });
    await expect(third.ready()).rejects.toThrow("declared already");
    await third.close();

    const here = declareSwarm(() => "here", {});
    const open = session(here.client, here.swarm);
    expect(await open.complete("hi")).toBe("here");
    const asked = complete("hi", names.client, names.swarm);
    await other.said("in the tool");
    other.child.kill("SIGKILL");
    expect(await asked).toContain("closed the connection");
    const gone = core.call("catalog/get", { kind: "agent", name: "theirs" });
    await expect(gone).rejects.toMatchObject({ kind: "unknown_name" });
    expect(await open.complete("ho")).toBe("here");
    await open.dispose();
  });
});

test(`what libraries of the core print is on stderr ${requirement("wire:stdio:quiet")}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "wikiswarm-noisy-"));
  writeFileSync(
    join(folder, "litellm.py"),
    'import os\nprint("a banner", flush=True)\nos.write(1, b"from below\\n")\nraise ImportError("no")\n',
  );
  const program = `
import { addAgent, addCompletion, addSwarm, Adapter, complete } from "wikiswarm";
addCompletion({ completionName: "noisy", getCompletion: Adapter.fromCore("litellm/any") });
addCompletion({ completionName: "quiet", getCompletion: () => "answered" });
for (const name of ["noisy", "quiet"]) {
  addAgent({ agentName: name, completion: name });
  addSwarm({ swarmName: name, agentList: [name], defaultAgent: name });
}
console.log(await complete("hi", "c-1", "noisy").catch((error) => error.constructor.name));
console.log(await complete("hi", "c-2", "quiet"));
`;
  const env = {
    PYTHONPATH: [folder, REPOSITORY].join(delimiter),
    WIKISWARM_CORE_URL: "",
  };
  const result = await runProgram(writeProgram("noisy.ts", program), { env });
  expect(result.stdout).toMatch(/^\w+Error\nanswered\n$/);
  expect(result.stderr).toContain("a banner");
  expect(result.stderr).toContain("from below");
});

test(`recorded frames are written as they were read ${requirement("wire:frame:golden")}`, () => {
  const place = join(REPOSITORY, "tests/bindings/rpc/frames.json");
  const frames = JSON.parse(readFileSync(place, "utf8")) as { method: string }[];
  expect(frames.length).toBeGreaterThan(15);
  for (const frame of frames) {
    const message = { jsonrpc: "2.0", ...frame };
    const text = encodeMessage(message, 1 << 20);
    expect(JSON.parse(text)).toEqual(message);
    expect(text).not.toContain("\n");
  }
});

test(`the generated types are those of the schema ${requirement("wire:types:in-step")}`, () => {
  const run = spawnSync(process.execPath, ["scripts/generate.mjs", "--check"], { cwd: PACKAGE });
  expect(run.status).toBe(0);
});
