// Writes EXPORTS.md: what the kit exports, and what of it is here. Needs a build.
// `node scripts/exports.mjs --check` only says whether it is in step.
import { readFile, writeFile } from "node:fs/promises";

const root = new URL("../", import.meta.url);
const place = new URL("EXPORTS.md", root);
const here = await import(new URL("dist/index.js", root));
const table = await readFile(new URL("../../scripts/kit_exports.yaml", root), "utf8");

const ONE_STORE = "conversations, states and bans are kept by the core, in one database";
const CONTEXT = "code of a turn knows its turn; tasks inherit it by themselves";
/** Where a name is missing, or does something else than in the kit. */
const NOTES = {
  Adapter: "no forced temperature, no retries of its own; `fromCore` lets the core call the model",
  Chat: "with its own limits; `useChatCallbacks`, no adapter",
  ChatInstance: "no class to derive from",
  ExecutionContextService: CONTEXT,
  History: ONE_STORE,
  HistoryMemoryInstance: ONE_STORE,
  HistoryPersistInstance: ONE_STORE,
  Logger: "`useCommonAdapter`",
  LoggerInstance: "no class to derive from",
  MethodContextService: CONTEXT,
  Operator:
    "the inbox: `list`, `show`, `reply`, `approve`, `reject`; or `connectOperator` of the agent",
  OperatorInstance: "no class to derive from: `connectOperator` is a function",
  PayloadContextService: "`getPayload`",
  PersistAlive: ONE_STORE,
  PersistBase: ONE_STORE,
  PersistEmbedding: ONE_STORE,
  PersistList: ONE_STORE,
  PersistMemory: ONE_STORE,
  PersistPolicy: ONE_STORE,
  PersistState: ONE_STORE,
  PersistStorage: ONE_STORE,
  PersistSwarm: ONE_STORE,
  Schema: "`readSessionMemory` and `writeSessionMemory` return promises",
  SchemaContextService: "`scope`",
  TOOL_PROTOCOL_PROMPT: "`map` of the agent reads a protocol of one's own",
  Utils: ONE_STORE,
  beginContext: CONTEXT,
  changeToAgent: "an agent outside of the swarm is an error",
  complete: "errors are thrown",
  dumpAdvisorResult: "`dump_advisor_result` in Python",
  dumpAgent: "a promise of a Mermaid graph",
  dumpClientPerformance: "`wikiswarm runs`",
  dumpDocs: "Markdown and a Mermaid graph, a file each",
  dumpOutlineResult: "`dump_outline_result` in Python",
  dumpPerfomance: "`wikiswarm runs`",
  dumpSwarm: "a promise of a Mermaid graph",
  fork: "errors are thrown on, after `onError`",
  json: "the model is told what was wrong",
  makeConnection: "errors are thrown",
  scope: "what is declared and overridden inside holds for the whole program until the end",
  setConfig: "the settings that are defaults of declarations; others are refused",
  startPipeline: "errors are thrown",
  swarm: "the core; it starts by itself",
  validate: "throws for a name of this program; a promise checks everything in the core",
};

const lines = [
  "# The kit's exports, and this package's",
  "",
  "Made by `npm run exports` from `scripts/kit_exports.yaml` and the package itself. A name without a note is",
  "as in the kit, where [docs/kit.md](../../docs/kit.md) does not say that the core differs on purpose.",
];
let count = 0;
let total = 0;
for (const line of table.split("\n")) {
  const section = /^- section: (.*)$/.exec(line)?.[1];
  if (section) lines.push("", `## ${section}`, "", "| name | here | note |", "|---|---|---|");
  const name = /^ {4}(\w+): \{here/.exec(line)?.[1];
  if (!name) continue;
  const isHere = name in here;
  const note = NOTES[name] ?? "";
  if (!isHere && note === "") throw new Error(`${name} is missing; NOTES has to say why`);
  total += 1;
  count += isHere ? 1 : 0;
  lines.push(`| \`${name}\` | ${isHere ? "yes" : "no"} | ${note} |`);
}
lines.splice(4, 0, "", `${count} of ${total} are here.`);
const text = `${lines.join("\n")}\n`;
if (process.argv.includes("--check")) {
  const old = await readFile(place, "utf8").catch(() => "");
  if (old !== text) {
    console.error("EXPORTS.md is out of step; run: npm run exports");
    process.exitCode = 1;
  }
} else {
  await writeFile(place, text);
}
