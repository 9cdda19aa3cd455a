/** The program that this package is for runs with only its import line changed, and one like it. */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PACKAGE, REPOSITORY } from "./environment.js";
import { runProgram, startProvider, writeProgram } from "./programs.js";
import { requirement } from "./requirement.js";
import { SHOP } from "./shop.js";

const SEEDS = ["../shared/seeds", "../../shared/seeds"]
  .map((one) => join(REPOSITORY, one))
  .find(existsSync);

/** Return the listing as it stands in the article, but for its import line. */
function listing(): string | undefined {
  if (SEEDS === undefined) return undefined;
  for (const name of readdirSync(SEEDS)) {
    const article = readFileSync(join(SEEDS, name), "utf8");
    const found = /```typescript\n(import \{\n {2}Adapter,[\s\S]*?)```/.exec(article);
    if (found?.[1]) return found[1].replace('from "agent-swarm-kit"', 'from "wikiswarm"');
  }
  return undefined;
}

const driver = (module: string): string => `
import { getRawHistory, session } from "wikiswarm";
import { SwarmName } from "./${module}.js";

const { complete, dispose } = session("client-1", SwarmName.TestSwarm);
const answer = await complete("Is aspirin in stock?");
const history = await getRawHistory("client-1");
await dispose();
console.log("RESULT", JSON.stringify({ answer, history }));
`;

/** Sends what goes to Cohere to the stub: its client takes no address from the environment. */
const REDIRECT = `
const real = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = new URL(typeof input === "string" ? input : (input.url ?? input.href));
  if (url.hostname.endsWith("cohere.com")) return real(process.env.STUB_URL + url.pathname, init);
  return real(input, init);
};
`;

describe.each([
  ["the listing (skipped where ../shared is missing)", "listing", listing()],
  ["a program of the same verbs in the same order", "shop", SHOP],
] as const)("%s", (_name, module, text) => {
  if (text === undefined) {
    test.skip("is not here");
    return;
  }
  let provider: Awaited<ReturnType<typeof startProvider>>;
  let program = "";
  let redirect = "";

  beforeAll(async () => {
    writeProgram(`${module}.ts`, text);
    program = writeProgram(`${module}_driver.ts`, driver(module));
    redirect = writeProgram("redirect.mjs", REDIRECT);
    provider = await startProvider(
      (body: { messages: { role: string; content: string }[] }, path) => {
        if (path.includes("/chat/completions")) return openai(body.messages);
        return {
          text: "Aspirin: 12 boxes.",
          generation_id: "g",
          response_id: "r",
          finish_reason: "COMPLETE",
        };
      },
    );
  });
  afterAll(() => provider.stop());

  test.each(["stdio", "fd", "websocket"] as const)(
    `over %s ${requirement("S4-09", "S4-10", "S4-20", "S4-21")}`,
    async (transport) => {
      provider.asked.length = 0;
      const result = await runProgram(program, {
        transport,
        args: ["--import", redirect],
        env: {
          OPENAI_API_KEY: "k",
          OPENAI_BASE_URL: `${provider.url}/v1`,
          COHERE_API_KEY: "k",
          STUB_URL: provider.url,
        },
      });
      expect(result.stderr).toBe("");
      const line = result.stdout.split("\n").find((one) => one.startsWith("RESULT "));
      expect(line, result.stdout + result.stderr).toBeDefined();
      const { answer, history } = JSON.parse(line?.slice(7) ?? "{}");
      expect(answer).toBe("We have 12 boxes of aspirin.");
      expect(result.stdout).toContain("find_pharma_product { context: 'stock' }");
      const spoken = history.map((one: { role: string; mode: string; content: string }) =>
        [one.role, one.mode, one.content].join("|"),
      );
      expect(spoken).toEqual([
        "user|user|Is aspirin in stock?",
        "assistant|user|",
        "tool|user|Received the next information from wiki: Aspirin: 12 boxes.",
        "user|tool|Tell me the answer based on the last tool output",
        "assistant|user|We have 12 boxes of aspirin.",
      ]);
      const chats = provider.asked.filter((one) => one.path.includes("/chat/completions"));
      expect(chats).toHaveLength(2);
      const cohere = provider.asked.find((one) => !one.path.includes("/chat/completions"));
      expect(cohere?.body.message).toBe("Is aspirin in stock?");
      expect(result.code).toBe(0);
    },
  );

  test("tsc --strict accepts it", () => {
    const tsc = join(PACKAGE, "node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"];
    const modules = ["--module", "nodenext", "--moduleResolution", "nodenext", "--types", "node"];
    const place = join(PACKAGE, `tests/.generated/${module}.ts`);
    const run = spawnSync(process.execPath, [tsc, ...options, ...modules, place], {
      cwd: PACKAGE,
      encoding: "utf8",
    });
    expect(run.stdout).toBe("");
    expect(run.status).toBe(0);
  });
});

function openai(messages: { role: string; content: string }[]) {
  const tool = messages.findLast((one) => one.role === "tool");
  const call = {
    id: "call_1",
    type: "function",
    function: { name: "find_pharma_product", arguments: '{"context": "stock"}' },
  };
  const message = tool?.content.includes("12 boxes")
    ? { role: "assistant", content: "We have 12 boxes of aspirin." }
    : { role: "assistant", content: null, tool_calls: [call] };
  return {
    id: "c",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message, finish_reason: "stop" }],
  };
}
