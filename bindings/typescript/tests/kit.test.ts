/** The rest of the kit: wikis, policies, memory, outlines and servers, on the real core. */

import { afterAll, describe, expect, test } from "vitest";
import {
  addAdvisor,
  addAgent,
  addAgentNavigation,
  addCommitAction,
  addCompletion,
  addCompute,
  addEmbedding,
  addFetchInfo,
  addMCP,
  addOutline,
  addPipeline,
  addPolicy,
  addState,
  addStorage,
  addSwarm,
  addTool,
  addWiki,
  ask,
  Compute,
  chat,
  complete,
  disconnect,
  getAgentName,
  json,
  Policy,
  question,
  Schema,
  SharedState,
  State,
  Storage,
  session,
  startPipeline,
  WikiNotListedError,
} from "../src/index.js";
import { requirement } from "./requirement.js";
import { callOf, callsThenRepeats, declareSwarm, last } from "./swarm.js";

afterAll(() => disconnect());

describe("agents and tools of the kit", () => {
  test(`ready-made tools look up, act and hand over ${requirement("kit:template:navigation", "kit:template:action", "kit:template:fetch")}`, async () => {
    addFetchInfo({
      toolName: "price_of",
      function: {
        name: "price_of",
        description: "p",
        parameters: { type: "object", properties: {} },
      },
      fetchContent: async (_params, clientId) => `12 for ${clientId}`,
    });
    addCommitAction({
      toolName: "book_it",
      function: {
        name: "book_it",
        description: "b",
        parameters: { type: "object", properties: {} },
      },
      executeAction: async () => "booked",
      successMessage: "Tell that it is booked",
    });
    addAgentNavigation({
      toolName: "go_second",
      description: "g",
      navigateTo: "second",
      executeMessage: "Greet",
    });
    addCompletion({
      completionName: "templates",
      getCompletion: (args) => {
        const { content, role, mode } = last(args);
        if (role === "user" && mode === "user") return callOf(content);
        return `${args.agentName}: ${content}`;
      },
    });
    const tools = ["price_of", "book_it", "go_second"];
    addAgent({ agentName: "first", completion: "templates", tools, dependsOn: ["second"] });
    addAgent({ agentName: "second", completion: "templates" });
    addSwarm({ swarmName: "templates", agentList: ["first", "second"], defaultAgent: "first" });
    const { complete, dispose } = session("templates", "templates");
    expect(await complete("price_of")).toBe("first: 12 for templates");
    expect(await complete("book_it")).toBe("first: Tell that it is booked");
    expect(await complete("go_second")).toBe("second: Greet");
    expect(await getAgentName("templates")).toBe("second");
    await dispose();
  });

  test(`wikis and advisors answer; an agent asks only the wikis that it lists ${requirement("S4-12", "S4-16", "kit:register:wiki", "kit:talk:ask")}`, async () => {
    const chats: string[] = [];
    addWiki({
      wikiName: "drugs",
      getChat: async ({ message }) => `wiki on ${message}`,
      callbacks: { onChat: ({ message }) => void chats.push(message) },
    });
    addAdvisor({ advisorName: "wise", getChat: async (message: { text: string }) => message.text });
    const names = declareSwarm(() => "x", {}, { wikiList: ["drugs"] });
    const other = declareSwarm(() => "x", {});
    const opened = [session(names.client, names.swarm), session(other.client, other.swarm)];
    expect(await question("aspirin", names.client, names.agent, "drugs")).toBe("wiki on aspirin");
    const refused = question("aspirin", other.client, other.agent, "drugs");
    await expect(refused).rejects.toThrow(WikiNotListedError);
    expect(chats).toEqual(["aspirin"]);
    expect(await ask({ text: "42" }, "wise")).toBe("42");
    await Promise.all(opened.map((one) => one.dispose()));
  });

  test("policies refuse and ban", async () => {
    addPolicy({
      policyName: "polite",
      banMessage: "No.",
      validateInput: (text) => !text.includes("bad"),
    });
    const names = declareSwarm(() => "fine", {});
    addSwarm({
      swarmName: "polite",
      agentList: [names.agent],
      defaultAgent: names.agent,
      policies: ["polite"],
    });
    const of = { clientId: "p", swarmName: "polite", policyName: "polite" };
    expect(await complete("bad", "p", "polite")).toBe("No.");
    expect(await complete("good", "p", "polite")).toBe("fine");
    await Policy.banClient(of);
    expect([await Policy.hasBan(of), await complete("good", "p", "polite")]).toEqual([true, "No."]);
    await Policy.unbanClient(of);
    expect(await Policy.hasBan(of)).toBe(false);
  });

  test("states, storages, computes and notes are kept", async () => {
    addState({ stateName: "cart", getDefaultState: () => ({ items: 0 }) });
    addState({ stateName: "total", shared: true, getDefaultState: () => 0 });
    addCompute({
      computeName: "double",
      getComputeData: async (clientId) => {
        const cart = await State.getState({ ...of, clientId, stateName: "cart" });
        return cart.items * 2;
      },
      dependsOn: ["cart"],
    });
    addEmbedding({
      embeddingName: "letters",
      createEmbedding: async (text) => ["a", "b"].map((one) => text.split(one).length - 1 + 0.01),
    });
    addStorage({ storageName: "notes", embedding: "letters", createIndex: (item) => item.text });
    const names = declareSwarm(() => "x", {}, { states: ["cart"], storages: ["notes"] });
    const of = { clientId: names.client, agentName: names.agent };
    const opened = session(names.client, names.swarm);
    const change = (cart: { items: number }) => ({ items: cart.items + 1 });
    await Promise.all([1, 2, 3].map(() => State.setState(change, { ...of, stateName: "cart" })));
    expect(await State.getState({ ...of, stateName: "cart" })).toEqual({ items: 3 });
    expect(await Compute.getComputeData({ clientId: names.client, computeName: "double" })).toBe(6);
    expect(await State.clearState({ ...of, stateName: "cart" })).toEqual({ items: 0 });
    expect(await SharedState.setState((old: number) => old + 5, "total")).toBe(5);
    const storageName = "notes";
    await Storage.upsert({ ...of, storageName, item: { id: 1, text: "aaa" } });
    await Storage.upsert({ ...of, storageName, item: { id: 2, text: "bbb" } });
    const found = await Storage.take({ ...of, storageName, search: "b", total: 1 });
    expect(found).toMatchObject([{ id: 2 }]);
    expect(await Storage.list({ ...of, storageName, filter: ({ id }) => id === 1 })).toHaveLength(
      1,
    );
    await Schema.writeSessionMemory(names.client, { seen: true });
    expect(await Schema.readSessionMemory(names.client)).toEqual({ seen: true });
    await opened.dispose();
  });

  test("outlines are filled in, with what was wrong fed back", async () => {
    const heard: string[] = [];
    addCompletion({
      completionName: "json",
      json: true,
      getCompletion: (args) => {
        heard.push(last(args).content);
        return JSON.stringify({ name: heard.length === 1 ? "" : "aspirin" });
      },
    });
    addOutline<{ name: string }>({
      outlineName: "drug",
      completion: "json",
      format: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
      getOutlineHistory: async ({ attempt }, text) => [
        { role: "user", content: `${text} ${attempt}` },
      ],
      validations: [
        ({ data }) => {
          if (data.name === "") throw new Error("the name is empty");
        },
      ],
    });
    const result = await json("drug", "find");
    expect(result).toMatchObject({ isValid: true, data: { name: "aspirin" }, attempt: 2 });
    expect(heard[0]).toBe("find 1");
    expect(heard[1]).toContain("the name is empty");
  });

  test("tools of a server, pipelines and bare questions", async () => {
    addMCP({
      mcpName: "server",
      listTools: async () => [
        {
          name: "add",
          description: "a",
          inputSchema: { type: "object", properties: { x: { type: "string" } } },
        },
      ],
      callTool: async (name, { params }) => `${name}(${params.x})`,
    });
    addPipeline({
      pipelineName: "pipe",
      execute: async (_client, agent, payload: { n: number }) => ({ agent, n: payload.n + 1 }),
    });
    const names = declareSwarm(callsThenRepeats("add"), {}, { mcp: ["server"] });
    const opened = session(names.client, names.swarm);
    expect(await opened.complete("hi")).toBe("said: add(1)");
    const piped = await startPipeline(names.client, "pipe", names.agent, { n: 1 });
    expect(piped).toEqual({ agent: names.agent, n: 2 });
    addCompletion({ completionName: "echo", getCompletion: (args) => last(args).content });
    expect(await chat("echo", [{ role: "user", content: "hey" }])).toBe("hey");
    await opened.dispose();
  });

  test("functions of tools and agents decide", async () => {
    const names = declareSwarm(
      (args) =>
        last(args).mode === "user" && last(args).role === "user" ? callOf("guarded") : "done",
      {},
      {
        transform: (text) => `[${text}]`,
        systemDynamic: (clientId) => `You talk to ${clientId}.`,
      },
    );
    const calls: unknown[] = [];
    addTool({
      toolName: "guarded",
      function: () => ({
        name: "guarded",
        description: "g",
        parameters: { type: "object", properties: { x: { type: "string" } } },
      }),
      validate: ({ params }) => params.x === "1",
      isAvailable: (_client, agentName) => agentName === "guard",
      call: ({ params }) => `${calls.push(params)}`,
      callbacks: { onBeforeCall: (_id, _client, _agent, params) => void calls.push(params) },
    });
    addAgent({
      agentName: "guard",
      completion: names.completion,
      tools: ["guarded"],
      transform: (text) => `[${text}]`,
    });
    addSwarm({ swarmName: "guard", agentList: ["guard"], defaultAgent: "guard" });
    expect(await complete("hi", "guard", "guard")).toBe("[done]");
    expect(calls).toEqual([{ x: "1" }, { x: "1" }]);
  });
});
