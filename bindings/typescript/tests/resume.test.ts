/** A WebSocket that breaks, in front of a real core: nobody notices, until the window is over. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { core } from "../src/core/core.js";
import { ConnectionLostError, disconnect, session, UnknownNameError } from "../src/index.js";
import { TextSocket } from "../src/wire/websocket.js";
import { runProgram, startCore, writeProgram } from "./programs.js";
import { BreakingProxy } from "./proxy.js";
import { requirement } from "./requirement.js";
import { callOf, callsThenRepeats, declareSwarm, last } from "./swarm.js";

type Started = Awaited<ReturnType<typeof startCore>>;

const ENDING = `
import { addAgent, addCompletion, addSwarm, session } from "wikiswarm";
addCompletion({ completionName: "ending", getCompletion: () => "hello" });
addAgent({ agentName: "ending", completion: "ending" });
addSwarm({ swarmName: "ending", agentList: ["ending"], defaultAgent: "ending" });
console.log(await session("ending", "ending").complete("hi"));
`;

/** Lead this process to a core through a proxy. */
async function through(url: string, token: string): Promise<BreakingProxy> {
  const proxy = await BreakingProxy.start(url);
  process.env.WIKISWARM_CORE_URL = proxy.url;
  process.env.WIKISWARM_TOKEN = token;
  return proxy;
}

describe("within the window", () => {
  let started: Started;
  let proxy: BreakingProxy;
  beforeAll(async () => {
    started = await startCore();
  });
  beforeEach(async () => {
    proxy = await through(started.url, started.token);
  });
  afterEach(async () => {
    await disconnect();
    proxy.stop();
  });
  afterAll(() => started.child.kill());

  test(`in the middle of a tool: it goes on, and is run once ${requirement("wire:connection:resume")}`, async () => {
    let runs = 0;
    let signal: AbortSignal | undefined;
    const names = declareSwarm(callsThenRepeats("find"), {
      find: async ({ abortSignal }) => {
        runs += 1;
        signal = abortSignal;
        proxy.cut();
        while (proxy.connections < 2) await new Promise((go) => setImmediate(go));
        return "found";
      },
    });
    const { complete, dispose } = session(names.client, names.swarm);
    expect(await complete("hi")).toBe("said: found");
    expect([runs, signal?.aborted, proxy.connections]).toEqual([1, false, 2]);
    await dispose();
  });

  test(`in the middle of a completion, which answers while nobody is connected ${requirement("wire:connection:resume")}`, async () => {
    let runs = 0;
    const names = declareSwarm(() => {
      runs += 1;
      proxy.isAway = true;
      proxy.cut();
      setTimeout(() => {
        proxy.isAway = false;
      }, 100);
      return "done";
    }, {});
    const { complete, dispose } = session(names.client, names.swarm);
    expect(await complete("hi")).toBe("done");
    expect(runs).toBe(1);
    expect(proxy.connections).toBeGreaterThan(2);
    await dispose();
  });

  test(`between two questions: the session is the same one ${requirement("wire:connection:resume")}`, async () => {
    const names = declareSwarm((args) => `heard ${args.messages.length}`, {});
    const { complete, dispose } = session(names.client, names.swarm);
    const link = await core.ready();
    expect(await complete("one")).toBe("heard 2");
    for (const expected of ["heard 4", "heard 6"]) {
      proxy.cut();
      expect(await complete("more")).toBe(expected);
    }
    expect(await core.ready()).toBe(link);
    await dispose();
  });

  test.each(["up", "down"] as const)(
    `while a megabyte is on its way %s ${requirement("wire:connection:resume")}`,
    async (direction) => {
      const long = "ж".repeat(512 * 1024);
      let runs = 0;
      const names = declareSwarm((args) => {
        runs += 1;
        return last(args).content.length === long.length ? `${long}!` : "short";
      }, {});
      const { complete, dispose } = session(names.client, names.swarm);
      expect(await complete("hi")).toBe("short");
      const cut = proxy.cutAfter(direction, 300_000);
      expect(await complete(long)).toBe(`${long}!`);
      await cut;
      expect([runs, proxy.connections]).toEqual([2, 2]);
      await dispose();
    },
  );

  test(`twenty times while 200 clients ask: each answer is right, each tool is run once ${requirement("wire:connection:resume")}`, async () => {
    const runs = new Map<string, number>();
    const names = declareSwarm(
      (args) =>
        last(args).role === "user" ? callOf("find", args.clientId) : `for ${last(args).content}`,
      {
        find: ({ params, clientId }) => {
          runs.set(clientId, (runs.get(clientId) ?? 0) + 1);
          return params.x;
        },
      },
    );
    const clients = Array.from({ length: 200 }, (_one, index) => `cut-${index}`);
    let isDone = false;
    const cutting = (async () => {
      let cuts = 0;
      for (; cuts < 20 && !isDone; cuts += 1) {
        await proxy.cutAfter(cuts % 2 ? "up" : "down", 1_500 + 100 * cuts);
      }
      return cuts;
    })();
    const opened = clients.map((one) => session(one, names.swarm));
    const answers = await Promise.all(opened.map((one) => one.complete("hi")));
    isDone = true;
    expect(answers).toEqual(clients.map((one) => `for ${one}`));
    expect([...runs.values()]).toEqual(Array(200).fill(1));
    await Promise.all(opened.map((one) => one.dispose()));
    expect(await cutting).toBe(20);
  });

  test(`a program that ends with its sessions open leaves at once, and may begin anew ${requirement("wire:connection:takeover")}`, async () => {
    const place = writeProgram("ending.ts", ENDING);
    const env = { WIKISWARM_CORE_URL: proxy.url, WIKISWARM_TOKEN: started.token };
    for (const _run of [1, 2]) {
      const result = await runProgram(place, { env });
      expect(result).toMatchObject({ code: 0, stderr: "", stdout: "hello\n" });
    }
    await expect(
      core.call("catalog/get", { kind: "agent", name: "ending" }),
    ).rejects.toBeInstanceOf(UnknownNameError);
  });

  test("a connection that is silently dead is noticed", async () => {
    const socket = await TextSocket.open(proxy.url, { token: started.token, heartbeatMs: 50 });
    const ended = new Promise<boolean>((resolve) => {
      socket.ended = (_reason, isFinal) => resolve(isFinal);
    });
    proxy.isStalled = true;
    expect(await ended).toBe(false);
  });
});

describe("after the window", () => {
  let first: Started;
  let second: Started;
  let proxy: BreakingProxy;
  beforeAll(async () => {
    [first, second] = await Promise.all([
      startCore(process.env, "--resume-window", "0.4"),
      // The first one has the conversations open until its window is over.
      startCore({ ...process.env, WIKISWARM_HOME: mkdtempSync(join(tmpdir(), "wikiswarm-ts-")) }),
    ]);
    proxy = await through(first.url, first.token);
  });
  afterAll(async () => {
    await disconnect();
    proxy.stop();
    first.child.kill();
    second.child.kill();
  });

  test(`what waits fails, and the next question begins anew ${requirement("wire:connection:resume")}`, async () => {
    const aborted: unknown[] = [];
    const names = declareSwarm(callsThenRepeats("find"), {
      find: async ({ abortSignal }) => {
        if (aborted.length > 0) return "alive";
        await new Promise((go) => {
          abortSignal.addEventListener("abort", go, { once: true });
          proxy.isAway = true;
          proxy.cut();
        });
        aborted.push(abortSignal.reason);
      },
    });
    const { complete, dispose } = session(names.client, names.swarm);
    const failed = await complete("one").catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ConnectionLostError);
    expect(failed).toMatchObject({ retryable: true });
    expect((failed as Error).message).toContain("not there again within 0.4 s");
    expect(aborted).toEqual([failed]);
    proxy.isAway = false;
    expect(await complete("two")).toBe("said: alive");
    await dispose();
  });

  test(`another core does not go on with it, and says so at once ${requirement("wire:connection:resume")}`, async () => {
    let runs = 0;
    const names = declareSwarm(callsThenRepeats("find"), {
      find: async () => {
        if (++runs > 1) return "alive";
        proxy.leadTo(second.url);
        proxy.cut();
        await new Promise(() => undefined);
      },
    });
    const { complete, dispose } = session(names.client, names.swarm);
    const failed = await complete("one").catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ConnectionLostError);
    expect((failed as Error).message).toContain("that connection is gone");
    expect(await complete("two")).toBe("said: alive");
    await dispose();
  });
});
