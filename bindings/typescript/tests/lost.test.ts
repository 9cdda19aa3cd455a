/** A core that is killed, and programs that end by themselves. */

import { execFileSync } from "node:child_process";
import { afterAll, expect, test } from "vitest";
import {
  ConnectionLostError,
  complete,
  disconnect,
  getRawHistory,
  hasSession,
  session,
} from "../src/index.js";
import { runProgram, startCore, writeProgram } from "./programs.js";
import { requirement } from "./requirement.js";
import { callOf, callsThenRepeats, declareSwarm, last } from "./swarm.js";

afterAll(() => disconnect());

/** Kill the core that this process started. */
function killCore(): void {
  const lines = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)], {
    encoding: "utf8",
  });
  for (const line of lines.split("\n")) {
    const [pid = "", ...args] = line.trim().split(/\s+/);
    if (args.join(" ").includes("-m bindings --stdio")) process.kill(Number(pid), "SIGKILL");
  }
}

test(`kill -9 of the core in the middle of a tool fails the turn; the next one finds a new core ${requirement("wire:connection:lost")}`, async () => {
  let runs = 0;
  let aborted: unknown;
  const names = declareSwarm(callsThenRepeats("find"), {
    find: async ({ abortSignal }) => {
      if (++runs > 1) return "alive";
      abortSignal.addEventListener("abort", () => {
        aborted = abortSignal.reason;
      });
      killCore();
      await new Promise(() => undefined);
    },
  });
  const { complete, dispose } = session(names.client, names.swarm);
  const failed = await complete("first").catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ConnectionLostError);
  expect(failed).toMatchObject({ retryable: true, kind: "connection_lost", code: -32801 });
  expect((failed as Error).message).toContain("SIGKILL");
  expect(aborted).toBe(failed);
  expect(hasSession(names.client)).toBe(true);
  // The turn is not begun again: its tool may have done something.
  expect(runs).toBe(1);
  expect(await complete("second")).toBe("said: alive");
  const said = (await getRawHistory(names.client)).map((one) => one.content);
  expect(said).toEqual(expect.arrayContaining(["first", "second", "said: alive"]));
  await dispose();
});

const ONCE = `
import { addAgent, addCompletion, addSwarm, session, makeConnection } from "wikiswarm";
addCompletion({ completionName: "c", getCompletion: () => "hello" });
addAgent({ agentName: "a", completion: "c" });
addSwarm({ swarmName: "s", agentList: ["a"], defaultAgent: "a" });
const { complete } = session("client", "s");
console.log(await complete("hi"));
const send = makeConnection(({ data }) => console.log("pushed", data), "other", "s");
console.log(await send("hi"));
`;

test("a program ends by itself when all is answered, with its sessions open", async () => {
  const result = await runProgram(writeProgram("once.ts", ONCE));
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(result.stdout).toBe("hello\npushed hello\nhello\n");
});

test("a program that only declares starts nothing", async () => {
  const place = writeProgram("only.ts", ONCE.split("\n").slice(0, 5).join("\n"));
  const result = await runProgram(place, { env: { WIKISWARM_PYTHON: "/nowhere/python" } });
  expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" });
});

test("a Python that is not there is one typed error", async () => {
  const result = await runProgram(writeProgram("once.ts", ONCE), {
    env: { WIKISWARM_PYTHON: "/nowhere/python" },
  });
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("SetupError: the core was not started with /nowhere/python");
});

test(`two programs share a core; a wrong token is refused ${requirement("wire:handshake:token")}`, async () => {
  const core = await startCore();
  try {
    const env = { WIKISWARM_CORE_URL: core.url, WIKISWARM_TOKEN: core.token };
    const renamed = (one: string) => ONCE.replace(/"([acs])"/g, `"$1${one}"`);
    const places = ["1", "2"].map((one) => writeProgram(`two_${one}.ts`, renamed(one)));
    const results = await Promise.all(places.map((one) => runProgram(one, { env })));
    expect(results.map((one) => [one.code, one.stdout])).toEqual(
      Array(2).fill([0, "hello\npushed hello\nhello\n"]),
    );
    const refused = await runProgram(places[0] ?? "", {
      env: { ...env, WIKISWARM_TOKEN: "wrong" },
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("UnauthorizedError");
  } finally {
    core.child.kill();
  }
});

test("a tool that nobody declared is mended by the model", async () => {
  const names = declareSwarm(
    (args) => (last(args).role === "user" ? callOf("none") : "mended"),
    {},
  );
  expect(await complete("hi", names.client, names.swarm)).toBe("mended");
});
