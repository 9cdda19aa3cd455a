/** People who answer and approve, on the real core. */

import { afterAll, describe, expect, test } from "vitest";
import { addAgent, addSwarm, complete, disconnect, Operator, overrideTool } from "../src/index.js";
import { callsThenRepeats, declareSwarm } from "./swarm.js";

afterAll(() => disconnect());

describe("people", () => {
  test("a person answers, by a function or by the inbox", async () => {
    addAgent({
      agentName: "person",
      operator: true,
      connectOperator: (clientId) => (message, next) => {
        setTimeout(() => next(`${clientId} said ${message}`), 10);
      },
    });
    addSwarm({ swarmName: "person", agentList: ["person"], defaultAgent: "person" });
    expect(await complete("hi", "visitor", "person")).toBe("visitor said hi");
    addAgent({ agentName: "desk", operator: true });
    addSwarm({ swarmName: "desk", agentList: ["desk"], defaultAgent: "desk", turnTimeout: 20 });
    const asked = complete("help", "visitor", "desk");
    let items = await Operator.list({ status: "waiting" });
    while (items.length === 0) items = await Operator.list({ status: "waiting" });
    expect(items[0]).toMatchObject({ kind: "question", clientId: "visitor", agentName: "desk" });
    await Operator.reply(items[0]?.id ?? "", "coming", "Ann");
    expect(await asked).toBe("coming");
    await expect(Operator.show("none")).rejects.toMatchObject({ kind: "unknown_item" });
  });

  test("a tool call waits for a person", async () => {
    const names = declareSwarm(callsThenRepeats("pay"), { pay: () => "paid" });
    await overrideTool({
      toolName: `pay_${names.swarm.slice(6)}`,
      needsApproval: true,
      approvalWait: 20,
    });
    const asked = complete("hi", names.client, names.swarm);
    const of = { status: "waiting", clientId: names.client } as const;
    let items = await Operator.list(of);
    while (items.length === 0) items = await Operator.list(of);
    expect(items[0]?.payload.call?.name).toBe("pay");
    await Operator.approve(items[0]?.id ?? "");
    expect(await asked).toBe("said: paid");
  });
});
