/**
 * The pharmacy's assistant as a TypeScript program: its model, its wiki and its tool are functions
 * of this file, and the Python core does the rest. It needs no key and no network.
 *
 *     npm install wikiswarm tsx && pip install wikiswarm
 *     npx tsx program.ts
 *
 * In this repository: `npm --prefix bindings/typescript run example`.
 */

import assert from "node:assert/strict";
import {
  addAgent,
  addCompletion,
  addSwarm,
  addTool,
  addWiki,
  commitToolOutput,
  execute,
  getLastUserMessage,
  getRawHistory,
  question,
  session,
} from "wikiswarm";

/** A stand-in for a fine-tuned model. */
const FACTS: readonly (readonly [RegExp, string])[] = [
  [/dolanex/i, "A pack of 20 Dolanex tablets costs 4.80 euros."],
  [/sunday/i, "On Sundays we are open from 10 to 14 o'clock."],
];

addCompletion({
  completionName: "scripted",
  // What a model would do: look the question up, then tell what was found.
  getCompletion: ({ messages }) => {
    const last = messages.at(-1);
    if (last?.role === "user" && last.mode === "user") {
      const call = { id: "call_1", function: { name: "find_pharma_product", arguments: {} } };
      return { tool_calls: [call] };
    }
    const found = messages.findLast((message) => message.role === "tool");
    return `Of course. ${found?.content}`;
  },
});

addWiki({
  wikiName: "pharma_wiki",
  docDescription: "Products, prices and opening hours",
  getChat: async ({ message }) =>
    FACTS.find(([words]) => words.test(message))?.[1] ?? "I do not know that.",
});

addTool({
  toolName: "find_pharma_product",
  docNote: "Asks the wiki the customer's question",
  type: "function",
  function: {
    name: "find_pharma_product",
    description: "Find pharma product details based on the corporate wiki",
    parameters: { type: "object", properties: {}, required: [] },
  },
  call: async ({ toolId, clientId, agentName }) => {
    const asked = await getLastUserMessage(clientId);
    const answer = await question(asked, clientId, agentName, "pharma_wiki");
    await commitToolOutput(toolId, answer, clientId, agentName);
    await execute("Tell me the answer based on the last tool output", clientId, agentName);
  },
});

addAgent({
  agentName: "seller",
  completion: "scripted",
  prompt: "You are the pharma seller agent. Consult the customer about our products.",
  system: ["To find product information call the tool find_pharma_product"],
  tools: ["find_pharma_product"],
  wikiList: ["pharma_wiki"],
});

addSwarm({ swarmName: "shop", agentList: ["seller"], defaultAgent: "seller" });

async function main(): Promise<void> {
  const clientId = `customer-${process.pid}`;
  const { complete, dispose } = session(clientId, "shop");
  const answer = await complete("What does Dolanex cost?");
  console.log(answer);
  assert.equal(answer, "Of course. A pack of 20 Dolanex tablets costs 4.80 euros.");
  assert.equal(await complete("Open on Sunday?"), `Of course. ${FACTS[1]?.[1]}`);

  const roles = (await getRawHistory(clientId)).map((message) => `${message.role}/${message.mode}`);
  const turn = ["user/user", "assistant/user", "tool/user", "user/tool", "assistant/user"];
  assert.deepEqual(roles, [...turn, ...turn]);
  await dispose();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
