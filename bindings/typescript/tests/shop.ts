/** A program of a pharmacy on the clients of two providers, as a text: it runs on its own. */

export const SHOP = `
import { CohereClient } from "cohere-ai";
import OpenAI from "openai";
import {
  Adapter,
  addAgent,
  addCompletion,
  addSwarm,
  addTool,
  addWiki,
  commitToolOutput,
  execute,
  getLastUserMessage,
  question,
} from "wikiswarm";

enum AgentName {
  Seller = "seller_agent",
}
enum CompletionName {
  Chat = "chat_completion",
}
enum ToolName {
  FindProduct = "find_product",
}
enum WikiName {
  Products = "products_wiki",
}
export enum SwarmName {
  TestSwarm = "shop_swarm",
}

let made = 0;
function once<T>(make: () => T): () => T {
  let known: { value: T } | undefined;
  return () => {
    if (known === undefined) {
      made += 1;
      known = { value: make() };
    }
    return known.value;
  };
}
// The keys are read from their usual variables, when the clients are first needed.
const openai = once(() => new OpenAI());
const cohere = once(() => new CohereClient({ token: process.env.COHERE_API_KEY }));

addCompletion({
  completionName: CompletionName.Chat,
  getCompletion: (args) => Adapter.fromOpenAI(openai(), "chat-model")(args),
});

addWiki({
  wikiName: WikiName.Products,
  docDescription: "What the pharmacy has",
  getChat: async ({ message }) => {
    const { text } = await cohere().chat({ message, model: "tuned-model" });
    return text;
  },
});

addTool({
  toolName: ToolName.FindProduct,
  type: "function",
  function: {
    name: "find_pharma_product",
    description: "Look a product up",
    parameters: {
      type: "object",
      properties: { context: { type: "string", description: "What to look up" } },
      required: ["context"],
    },
  },
  call: async ({ toolId, clientId, agentName, params }) => {
    console.log("find_pharma_product", params);
    const asked = await getLastUserMessage(clientId);
    const known = await question(asked, clientId, agentName, WikiName.Products);
    const output = "Received the next information from wiki: " + known;
    await commitToolOutput(toolId, output, clientId, agentName);
    await execute("Tell me the answer based on the last tool output", clientId, agentName);
  },
});

addAgent({
  agentName: AgentName.Seller,
  completion: CompletionName.Chat,
  prompt: "You sell medicine. Look up what you are asked for.",
  tools: [ToolName.FindProduct],
  wikiList: [WikiName.Products],
});

addSwarm({
  swarmName: SwarmName.TestSwarm,
  agentList: [AgentName.Seller],
  defaultAgent: AgentName.Seller,
});

process.once("beforeExit", () => console.log("CLIENTS", made));
`;
