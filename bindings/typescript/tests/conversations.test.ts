/** Conversations: connections, forks, progress and histories, on the real core. */

import { afterAll, describe, expect, test } from "vitest";
import {
  commitAssistantMessage,
  commitUserMessage,
  disconnect,
  execute,
  fork,
  getLastUserMessage,
  getNavigationRoute,
  getPayload,
  getRawHistory,
  getSessionMode,
  hasSession,
  makeConnection,
  notify,
  runStateless,
  session,
} from "../src/index.js";
import { requirement } from "./requirement.js";
import { callsThenRepeats, declareSwarm, last, shown } from "./swarm.js";

afterAll(() => disconnect());

describe("conversations", () => {
  test(`a connection pushes answers and notifications ${requirement("kit:talk:connection", "kit:talk:notify")}`, async () => {
    const names = declareSwarm(() => "hello", {});
    const pushed: unknown[] = [];
    const send = makeConnection((message) => pushed.push(message), names.client, names.swarm);
    expect(await send("hi")).toBe("hello");
    await notify("by the way", names.client, names.agent);
    const of = { clientId: names.client, agentName: names.agent };
    expect(pushed).toEqual([
      { data: "hello", ...of },
      { data: "by the way", ...of },
    ]);
    expect(await getSessionMode(names.client)).toBe("connection");
  });

  test("messages that come too soon are dropped, or answered as one", async () => {
    const names = declareSwarm((args) => `to ${last(args).content}`, {});
    const rate = session.rate("rate", names.swarm, { delay: 60_000 });
    expect([await rate.complete("1"), await rate.complete("2")]).toEqual(["to 1", ""]);
    const scheduled = session.scheduled("scheduled", names.swarm, { delay: 50 });
    const answers = await Promise.all(["1", "2", "3"].map((one) => scheduled.complete(one)));
    expect(answers).toEqual(["to 1", "to 3", "to 3"]);
    await Promise.all([rate.dispose(), scheduled.dispose()]);
  });

  test("the payload and the route are read without waiting", async () => {
    let seen: unknown;
    const names = declareSwarm(callsThenRepeats("find"), {
      find: ({ clientId }) => {
        seen = [getPayload(), [...getNavigationRoute(clientId)], hasSession(clientId)];
        return "ok";
      },
    });
    const { complete, dispose } = session(names.client, names.swarm);
    await complete("hi", { order: 7 });
    expect(seen).toEqual([{ order: 7 }, [names.agent], true]);
    await dispose();
  });

  test(`progress comes as it happens ${requirement("wire:session:progress")}`, async () => {
    const names = declareSwarm(callsThenRepeats("find"), { find: () => "ok" });
    const { complete, dispose } = session(names.client, names.swarm);
    const types: string[] = [];
    await complete("hi", null, { onProgress: ({ type }) => types.push(type) });
    expect(types).toEqual(expect.arrayContaining(["toolStarted", "toolFinished", "textDelta"]));
    await dispose();
  });

  test(`a fork has a conversation of its own; what it throws comes out ${requirement("kit:talk:fork", "kit:talk:fork-errors")}`, async () => {
    const names = declareSwarm(() => "hello", {});
    const of = { clientId: names.client, swarmName: names.swarm };
    const answer = await fork(
      async (clientId, agentName) => execute("hi", clientId, agentName),
      of,
    );
    expect(answer).toBe("hello");
    expect(hasSession(names.client)).toBe(false);
    const told: Error[] = [];
    const failed = fork(() => Promise.reject(new RangeError("no")), {
      ...of,
      onError: (e) => told.push(e),
    });
    await expect(failed).rejects.toThrow("no");
    expect(told).toHaveLength(1);
  });

  test(`histories can be written and read ${requirement("S4-17", "kit:commit:user", "kit:commit:assistant", "kit:talk:stateless")}`, async () => {
    const names = declareSwarm((args) => shown(args.messages).join(" "), {});
    const { complete, dispose } = session(names.client, names.swarm);
    await commitUserMessage("earlier", "user", names.client, names.agent);
    await commitAssistantMessage("indeed", names.client, names.agent);
    expect(await getLastUserMessage(names.client)).toBe("earlier");
    expect(await complete("now")).toBe("system:Sell. user:earlier assistant:indeed user:now");
    expect(await runStateless("aside", names.client, names.agent)).toContain("user:aside");
    expect(shown(await getRawHistory(names.client))).not.toContain("user:aside");
    await dispose();
  });
});
