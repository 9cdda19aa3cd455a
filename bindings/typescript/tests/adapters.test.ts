/** Adapters translate what clients take and give. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { Adapter, type ICompletionArgs, type ICompletionOutput, RoundRobin } from "../src/index.js";
import { startProvider } from "./programs.js";
import { requirement } from "./requirement.js";

const CALL = {
  id: "call_1",
  type: "function" as const,
  function: { name: "find", arguments: { x: 1 } },
};
const OF = { agentName: "a", mode: "user" as const };
const ARGS: ICompletionArgs = {
  clientId: "c",
  ...OF,
  messages: [
    { role: "system", content: "Sell.", ...OF },
    { role: "user", content: "aspirin?", ...OF },
    { role: "assistant", content: "", tool_calls: [CALL], ...OF },
    { role: "tool", content: "12", tool_call_id: "call_1", ...OF },
  ],
  tools: [{ type: "function", function: { name: "find", description: "f", parameters: {} } }],
  abortSignal: new AbortController().signal,
};
const WIRE_CALL = {
  id: "call_1",
  type: "function",
  function: { name: "find", arguments: '{"x":1}' },
};
const ANSWER = {
  choices: [{ message: { role: "assistant", content: "ok", tool_calls: [WIRE_CALL] } }],
  usage: { prompt_tokens: 3, completion_tokens: 4 },
};

/** Return a client method that keeps what it was asked. */
function recorder(answer: unknown) {
  const asked: { messages: unknown[]; model: string; [field: string]: unknown }[] = [];
  const run = async (body: never): Promise<unknown> => {
    asked.push(body);
    return answer;
  };
  return { asked, run };
}

const OPENAI_MESSAGES = [
  { role: "system", content: "Sell." },
  { role: "user", content: "aspirin?" },
  { role: "assistant", content: null, tool_calls: [WIRE_CALL] },
  { role: "tool", content: "12", tool_call_id: "call_1" },
];

describe("clients with OpenAI's API", () => {
  test.each([
    ["openai", Adapter.fromOpenAI],
    ["lmstudio", Adapter.fromLMStudio],
    ["xai", Adapter.fromGrok],
  ] as const)("%s", async (provider, from) => {
    const { asked, run } = recorder(ANSWER);
    const output = await from({ chat: { completions: { create: run } } }, "m")(ARGS);
    expect(asked[0]).toMatchObject({ model: "m", messages: OPENAI_MESSAGES, tools: ARGS.tools });
    expect(output).toMatchObject({
      content: "ok",
      tool_calls: [WIRE_CALL],
      model: `${provider}/m`,
      usage: { inputTokens: 3, outputTokens: 4 },
    });
  });

  test("the client of the openai package fits, and is stopped with the turn", async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const client = new OpenAI({
      apiKey: "k",
      baseURL: `http://127.0.0.1:${port}/v1`,
      maxRetries: 0,
    });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const asked = Adapter.fromOpenAI(client, "m")({ ...ARGS, abortSignal: controller.signal });
    await expect(asked).rejects.toThrow("aborted");
    server.closeAllConnections();
    server.close();
  });

  test("hugging face and cortex", async () => {
    const { asked, run } = recorder(ANSWER);
    expect(await Adapter.fromHf({ chatCompletion: run }, "m")(ARGS)).toMatchObject({
      model: "huggingface/m",
    });
    expect(asked[0]?.messages).toEqual(OPENAI_MESSAGES);
    const provider = await startProvider(() => ANSWER);
    const output = await Adapter.fromCortex("m", `${provider.url}/v1/`)(ARGS);
    expect(provider.asked[0]).toMatchObject({ path: "/v1/chat/completions", body: { model: "m" } });
    expect(output).toMatchObject({ content: "ok", model: "cortex/m" });
    provider.stop();
  });
});

test("ollama takes arguments as objects", async () => {
  const { asked, run } = recorder({
    message: { content: "ok", tool_calls: [{ function: { name: "find", arguments: { x: 1 } } }] },
    prompt_eval_count: 3,
    eval_count: 4,
  });
  const output = await Adapter.fromOllama({ chat: run }, "m", "Use the tools.")(ARGS);
  expect(asked[0]?.messages[0]).toEqual({ role: "system", content: "Use the tools." });
  expect(asked[0]?.messages[3]).toMatchObject({ tool_calls: [{ function: CALL.function }] });
  expect(output).toMatchObject({ model: "ollama/m", usage: { inputTokens: 3, outputTokens: 4 } });
});

test(`cohere names fields in its own way ${requirement("S4-09")}`, async () => {
  const { asked, run } = recorder({
    message: {
      content: [
        { type: "text", text: "o" },
        { type: "text", text: "k" },
      ],
      toolCalls: [WIRE_CALL],
    },
    usage: { tokens: { inputTokens: 3, outputTokens: 4 } },
  });
  const output = (await Adapter.fromCohereClientV2({ chat: run }, "m")(ARGS)) as ICompletionOutput;
  expect(asked[0]?.messages[2]).toMatchObject({ role: "assistant", toolCalls: [WIRE_CALL] });
  expect(asked[0]?.messages[3]).toMatchObject({ role: "tool", toolCallId: "call_1" });
  expect(output).toMatchObject({ content: "ok", tool_calls: [WIRE_CALL], model: "cohere/m" });
});

test("tokens take turns", () => {
  const made: string[] = [];
  const run = RoundRobin.create(["a", "b"], (token) => {
    made.push(token);
    return (text: string) => `${token}:${text}`;
  });
  expect([run("1"), run("2"), run("3")]).toEqual(["a:1", "b:2", "a:3"]);
  expect(made).toEqual(["a", "b"]);
});

test("a model of the core is not called here", () => {
  expect(() => Adapter.fromCore("openai/gpt-5")(ARGS)).toThrow("runs in the core");
});
