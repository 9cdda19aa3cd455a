/** A swarm whose model is a function: `say` answers with a text, `call` asks for tools. */

import {
  addAgent,
  addCompletion,
  addSwarm,
  addTool,
  type ICompletionArgs,
  type ICompletionOutput,
  type IModelMessage,
  type IToolCallParams,
} from "../src/index.js";

let count = 0;

type Script = (
  args: ICompletionArgs,
) => ICompletionOutput | string | Promise<ICompletionOutput | string>;
type Fields = Partial<Parameters<typeof addAgent>[0]>;

/** Declare a swarm with one agent; returns the names. */
export function declareSwarm(
  script: Script,
  tools: Record<string, (dto: IToolCallParams) => unknown> = {},
  fields: Fields = {},
) {
  const id = ++count;
  const names = {
    swarm: `swarm_${id}`,
    agent: `agent_${id}`,
    client: `client-${id}`,
    completion: `completion_${id}`,
  };
  addCompletion({ completionName: names.completion, getCompletion: script });
  const listed = Object.entries(tools).map(([name, call]) =>
    addTool({
      toolName: `${name}_${id}`,
      type: "function",
      function: {
        name,
        description: name,
        parameters: { type: "object", properties: { x: { type: "string" } }, required: [] },
      },
      call,
    }),
  );
  addAgent({
    agentName: names.agent,
    completion: names.completion,
    prompt: "Sell.",
    tools: listed,
    ...fields,
  });
  addSwarm({ swarmName: names.swarm, agentList: [names.agent], defaultAgent: names.agent });
  return names;
}

/** Return an answer that asks for a tool. */
export function callOf(
  name: string,
  x = "1",
  id = `call_${Math.random().toString(36).slice(2)}`,
): ICompletionOutput {
  return {
    content: "",
    tool_calls: [{ id, type: "function", function: { name, arguments: { x } } }],
  };
}

/** Return what the last message is. */
export function last(args: ICompletionArgs) {
  const message = args.messages.at(-1);
  if (message === undefined) throw new Error("no messages");
  return message;
}

/** A model that calls a tool for each message of a user, and then repeats the tool's output. */
export const callsThenRepeats =
  (name: string): Script =>
  (args) => {
    const { role, mode } = last(args);
    if (role === "user" && mode === "user") return callOf(name);
    return `said: ${args.messages.findLast((one) => one.role === "tool")?.content}`;
  };

/** Return a history as `role:content`. */
export const shown = (history: IModelMessage[]) =>
  history.map((one) => `${one.role}:${one.content}`);
