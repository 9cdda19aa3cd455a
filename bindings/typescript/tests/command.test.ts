/** The command `wikiswarm` with programs and functions of this package in Node. */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PACKAGE } from "./environment.js";
import { requirement } from "./requirement.js";

const PYTHON = process.env.WIKISWARM_PYTHON ?? "python3";

/** A folder in which `wikiswarm` and `tsx` are installed, with some files. */
function project(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "wikiswarm-ts-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(PACKAGE, join(folder, "node_modules/wikiswarm"));
  symlinkSync(join(PACKAGE, "node_modules/tsx"), join(folder, "node_modules/tsx"));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function wikiswarm(folder: string, ...args: string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, WIKISWARM_HOME: join(folder, "home") };
    const command = ["-m", "bindings.cli", ...args];
    execFile(PYTHON, command, { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const DOCUMENT = `
completions:
  offline: {model: offline}
wikis:
  hours: {get_chat: "functions.mjs#hours"}
agents:
  porter: {completion: offline, prompt: Greet., wiki_list: [hours]}
`;

const FUNCTIONS = `
export const hours = ({ message }) => message + ": from nine to six";
`;

const PROGRAM = `
import { addAgent, addCompletion, addSwarm, changeToAgent, complete, getAgentName, question, session } from "wikiswarm";
addCompletion({ completionName: "plain", getCompletion: async ({ messages }) => "heard " + messages.at(-1).content });
addAgent({ agentName: "seller", completion: "plain", prompt: "Sell.", wikiList: ["hours"] });
addSwarm({ swarmName: "shop", agentList: ["porter", "seller"], defaultAgent: "porter" });
const chat = session("client", "shop");
console.log(await getAgentName("client"));
await changeToAgent("seller", "client");
console.log(await chat.complete("hello"));
console.log(await question("open", "client", "seller", "hours"));
await chat.dispose();
process.exitCode = Number(process.argv[2]);
`;

test(`a program runs with agents and wikis of a document ${requirement("wire:run:program", "wire:run:together", "wire:file:bound")}`, async () => {
  const folder = project({
    "swarm.yaml": DOCUMENT,
    "functions.mjs": FUNCTIONS,
    "program.ts": PROGRAM,
  });
  const ran = await wikiswarm(folder, "run", "--load", "swarm.yaml", "program.ts", "7");
  expect(ran.stderr).toBe("");
  expect(ran.stdout.split("\n")).toEqual(["porter", "heard hello", "open: from nine to six", ""]);
  expect(ran.code).toBe(7);
}, 60_000);

const MODEL = `
export function model({ messages }) {
  const last = messages.at(-1);
  if (last.role === "tool") return "it said " + last.content;
  return { role: "assistant", content: "", tool_calls: [{ function: { name: "tool", arguments: {} } }] };
}
`;

const DYING = `
import { existsSync, writeFileSync } from "node:fs";
export function tool() {
  if (existsSync("died")) return "alive";
  writeFileSync("died", "");
  process.kill(process.pid, "SIGKILL");
}
`;

test(`functions are there again after their process was killed ${requirement("wire:file:restarted")}`, async () => {
  const folder = project({
    "swarm.yaml": `
completions: {model: {get_completion: "model.mjs#model"}}
tools: {tool: {call: "dying.mjs#tool"}}
agents: {seller: {completion: model, prompt: Sell., tools: [tool]}}
swarms: {shop: {agent_list: [seller], default_agent: seller}}
`,
    "model.mjs": MODEL,
    "dying.mjs": DYING,
  });
  const asked = ["--message", "first", "--message", "again"];
  const { stdout, code } = await wikiswarm(folder, "chat", "swarm.yaml", ...asked);
  expect(stdout).toMatch(/it said .*dying.mjs: its Node process was ended by SIGKILL/);
  expect(stdout).toContain("it said alive");
  expect(code).toBe(0);
}, 60_000);
