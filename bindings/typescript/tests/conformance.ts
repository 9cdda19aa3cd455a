/** The program that `python -m bindings.conformance` checks this package with. */

import { core } from "../src/core/core.js";
import { addTool, commitToolOutput, execute, type IToolCallParams } from "../src/index.js";

type Call = (dto: IToolCallParams) => unknown;

const CALLS: Record<string, Call> = {
  echo: ({ params }) => params,
  wait: () => new Promise(() => undefined),
  nested: async ({ toolId, clientId, agentName }) => {
    await commitToolOutput(toolId, "nested", clientId, agentName);
    await execute("go", clientId, agentName);
  },
  throws: () => {
    throw new RangeError("thrown on purpose");
  },
  large: ({ params }) => "x".repeat(params.bytes),
};

for (const [toolName, call] of Object.entries(CALLS)) {
  addTool({
    toolName,
    function: { name: toolName, description: toolName, parameters: { type: "object" } },
    call,
  });
}

const alive = setInterval(() => undefined, 1_000);
core.ready().then(
  (link) => {
    const check = setInterval(() => {
      if (link.isOpen) return;
      clearInterval(alive);
      clearInterval(check);
    }, 20);
  },
  (error: unknown) => {
    clearInterval(alive);
    console.error(String(error));
    process.exitCode = 1;
  },
);
