/** Measures the way to the core: `npm run bench`. */

import {
  addAgent,
  addCompletion,
  addSwarm,
  addTool,
  complete,
  disconnect,
  getAgentName,
  session,
} from "../src/index.js";

const ECHOES = 5_000;
const TURNS = 200;

addCompletion({
  completionName: "scripted",
  getCompletion: ({ messages }) => {
    const last = messages.at(-1);
    if (last?.role === "tool") return last.content;
    return { tool_calls: [{ id: "call_1", function: { name: "echo", arguments: { x: "1" } } }] };
  },
});
addTool({
  toolName: "echo",
  function: {
    name: "echo",
    description: "e",
    parameters: { type: "object", properties: { x: { type: "string" } } },
  },
  call: ({ params }) => params.x,
});
addAgent({ agentName: "agent", completion: "scripted", tools: ["echo"] });
addSwarm({ swarmName: "swarm", agentList: ["agent"], defaultAgent: "agent" });

async function main(): Promise<void> {
  const client = `bench-${process.pid}`;
  const started = performance.now();
  const { dispose } = session(client, "swarm");
  await getAgentName(client);
  report("start of the core", [performance.now() - started]);
  const hops: number[] = [];
  for (let index = 0; index < ECHOES; index += 1) {
    hops.push(await timed(() => getAgentName(client)));
  }
  report(`${ECHOES} questions, one after the other`, hops);
  const all = await timed(() =>
    Promise.all(Array.from({ length: ECHOES }, () => getAgentName(client))),
  );
  report(`${ECHOES} questions at once, each`, [all / ECHOES]);
  await dispose();
  const turns: number[] = [];
  const talk = session(`${client}-turns`, "swarm");
  for (let index = 0; index < TURNS; index += 1) {
    turns.push(await timed(() => talk.complete("hi")));
  }
  report(`${TURNS} turns with a tool (three calls of this program)`, turns);
  await talk.dispose();
  await complete("hi", `${client}-last`, "swarm");
  await disconnect();
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function report(what: string, times: number[]): void {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number): string =>
    `${(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2)} ms`;
  console.log(`${what}: median ${at(0.5)}, p95 ${at(0.95)}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
