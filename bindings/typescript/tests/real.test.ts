/** The verbs, on the real core. */

import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  cancelOutput,
  chat,
  commitAssistantMessage,
  commitToolOutput,
  commitUserMessage,
  complete,
  DuplicateNameError,
  disconnect,
  dumpDocs,
  emit,
  event,
  execute,
  fork,
  getAgentName,
  getLastUserMessage,
  getNavigationRoute,
  getPayload,
  getRawHistory,
  getSessionMode,
  hasSession,
  type IBusEvent,
  type IModelMessage,
  json,
  listenAgentEvent,
  listenEvent,
  makeConnection,
  notify,
  Operator,
  overrideAgent,
  overrideTool,
  Policy,
  ProviderError,
  question,
  runStateless,
  Schema,
  SharedState,
  State,
  Storage,
  SwarmError,
  scope,
  session,
  startPipeline,
  ValidationError,
  validate,
  WikiNotListedError,
} from "../src/index.js";
import { requirement } from "./requirement.js";
import { callOf, callsThenRepeats, declareSwarm, last } from "./swarm.js";

afterAll(() => disconnect());

const shown = (history: IModelMessage[]) => history.map((one) => `${one.role}:${one.content}`);

describe("tools", () => {
  test(`what a tool returns is its output ${requirement("S4-11", "S4-13", "S4-14", "S4-15")}`, async () => {
    const names = declareSwarm(callsThenRepeats("find"), {
      find: ({ params }) => `found ${params.x}`,
    });
    const { complete, dispose } = session(names.client, names.swarm);
    expect(await complete("hi")).toBe("said: found 1");
    expect(shown(await getRawHistory(names.client))).toEqual([
      "user:hi",
      "assistant:",
      "tool:found 1",
      "assistant:said: found 1",
    ]);
    await dispose();
    expect(hasSession(names.client)).toBe(false);
  });

  test("a tool gets the kit's record", async () => {
    let seen: object = {};
    const names = declareSwarm(
      (args) => (last(args).role === "user" ? callOf("find", "x", "id-1") : "done"),
      {
        find: (dto) => {
          seen = { ...dto };
          return "ok";
        },
      },
    );
    await complete("hi", names.client, names.swarm);
    expect(seen).toMatchObject({
      toolId: "id-1",
      clientId: names.client,
      agentName: names.agent,
      params: { x: "x" },
      toolCalls: [
        { id: "id-1", type: "function", function: { name: "find", arguments: { x: "x" } } },
      ],
      callReason: "",
      isLast: true,
    });
    expect((seen as { abortSignal: AbortSignal }).abortSignal.aborted).toBe(false);
  });

  test(`what a tool throws is told to the model ${requirement("wire:callback:throws")}`, async () => {
    const names = declareSwarm(callsThenRepeats("find"), {
      find: () => {
        throw new RangeError("out of stock");
      },
    });
    const answer = await complete("hi", names.client, names.swarm);
    expect(answer).toContain("out of stock");
  });

  test("a tool that never commits ends in an answer all the same", async () => {
    const names = declareSwarm(callsThenRepeats("find"), {
      find: () => undefined,
    });
    await overrideTool({ toolName: `find_${names.swarm.slice(6)}`, timeout: 0.2 });
    expect(await complete("hi", names.client, names.swarm)).toContain("no output within 0.2 s");
  });

  test(`a second output of one call is refused ${requirement("S4-18", "kit:commit:tool-output-once")}`, async () => {
    const refused: unknown[] = [];
    const names = declareSwarm(callsThenRepeats("find"), {
      find: async ({ toolId, clientId, agentName }) => {
        await commitToolOutput(toolId, "first", clientId, agentName);
        await commitToolOutput(toolId, "second", clientId, agentName).catch((e) => refused.push(e));
      },
    });
    expect(await complete("hi", names.client, names.swarm)).toBe("said: first");
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ kind: "tool_output" });
  });

  test("a cancelled turn aborts its tool", async () => {
    let signal: AbortSignal | undefined;
    const names = declareSwarm(callsThenRepeats("find"), {
      find: ({ abortSignal }) => {
        signal = abortSignal;
        return new Promise((_resolve, reject) => {
          abortSignal.addEventListener("abort", () => reject(abortSignal.reason));
        });
      },
    });
    const { complete, dispose } = session(names.client, names.swarm);
    const controller = new AbortController();
    const asked = complete("hi", null, { signal: controller.signal });
    while (signal === undefined) await new Promise((go) => setTimeout(go, 5));
    controller.abort();
    await expect(asked).rejects.toMatchObject({ kind: "cancelled" });
    while (!signal.aborted) await new Promise((go) => setTimeout(go, 5));
    await dispose();
  });

  test("cancelOutput ends the turn with an empty answer", async () => {
    const names = declareSwarm(callsThenRepeats("find"), {
      find: async ({ clientId, agentName }) => cancelOutput(clientId, agentName),
    });
    expect(await complete("hi", names.client, names.swarm)).toBe("");
  });

  test(`execute inside of a tool asks the model again, and emit answers for it ${requirement("S4-19", "kit:talk:execute", "kit:talk:emit")}`, async () => {
    const names = declareSwarm(
      (args) => {
        const { content, mode } = last(args);
        return mode === "user" && last(args).role === "user" ? callOf("find") : `heard ${content}`;
      },
      {
        find: async ({ toolId, clientId, agentName }) => {
          await commitToolOutput(toolId, "ok", clientId, agentName);
          const inner = await execute("sum up", clientId, agentName);
          await emit(`<${inner}>`, clientId, agentName);
        },
      },
    );
    expect(await complete("hi", names.client, names.swarm)).toBe("<heard sum up>");
  });

  test(`any text arrives as it was, a megabyte of it too ${requirement("wire:callback:invoke")}`, async () => {
    const odd = 'snow ☃ 漢字 🧪 "\\ \n\u2028\u0000'.replaceAll("\u0000", "");
    const long = "ж".repeat(512 * 1024);
    const names = declareSwarm((args) => last(args).content, {});
    const { complete, dispose } = session(names.client, names.swarm);
    expect(await complete(odd)).toBe(odd);
    expect(await complete(long)).toBe(long);
    await dispose();
  });

  test("200 clients at once each get their own answer", async () => {
    const names = declareSwarm(callsThenRepeats("find"), { find: ({ clientId }) => clientId });
    const clients = Array.from({ length: 200 }, (_one, index) => `many-${index}`);
    const answers = await Promise.all(clients.map((one) => complete("hi", one, names.swarm)));
    expect(answers).toEqual(clients.map((one) => `said: ${one}`));
  });
});

describe("conversations", () => {
  test(`a connection pushes answers and notifications ${requirement("kit:talk:connection", "kit:talk:notify")}`, async () => {
    const names = declareSwarm(() => "hello", {});
    const pushed: unknown[] = [];
    const send = makeConnection((message) => pushed.push(message), names.client, names.swarm);
    expect(await send("hi")).toBe("hello");
    await notify("by the way", names.client, names.agent);
    const of = { clientId: names.client, agentName: names.agent };
    expect(pushed).toEqual([
      { data: "hello", ...of },
      { data: "by the way", ...of },
    ]);
    expect(await getSessionMode(names.client)).toBe("connection");
  });

  test("messages that come too soon are dropped, or answered as one", async () => {
    const names = declareSwarm((args) => `to ${last(args).content}`, {});
    const rate = session.rate("rate", names.swarm, { delay: 60_000 });
    expect([await rate.complete("1"), await rate.complete("2")]).toEqual(["to 1", ""]);
    const scheduled = session.scheduled("scheduled", names.swarm, { delay: 50 });
    const answers = await Promise.all(["1", "2", "3"].map((one) => scheduled.complete(one)));
    expect(answers).toEqual(["to 1", "to 3", "to 3"]);
    await Promise.all([rate.dispose(), scheduled.dispose()]);
  });

  test("the payload and the route are read without waiting", async () => {
    let seen: unknown;
    const names = declareSwarm(callsThenRepeats("find"), {
      find: ({ clientId }) => {
        seen = [getPayload(), [...getNavigationRoute(clientId)], hasSession(clientId)];
        return "ok";
      },
    });
    const { complete, dispose } = session(names.client, names.swarm);
    await complete("hi", { order: 7 });
    expect(seen).toEqual([{ order: 7 }, [names.agent], true]);
    await dispose();
  });

  test(`progress comes as it happens ${requirement("wire:session:progress")}`, async () => {
    const names = declareSwarm(callsThenRepeats("find"), { find: () => "ok" });
    const { complete, dispose } = session(names.client, names.swarm);
    const types: string[] = [];
    await complete("hi", null, { onProgress: ({ type }) => types.push(type) });
    expect(types).toEqual(expect.arrayContaining(["toolStarted", "toolFinished", "textDelta"]));
    await dispose();
  });

  test(`a fork has a conversation of its own; what it throws comes out ${requirement("kit:talk:fork", "kit:talk:fork-errors")}`, async () => {
    const names = declareSwarm(() => "hello", {});
    const of = { clientId: names.client, swarmName: names.swarm };
    const answer = await fork(
      async (clientId, agentName) => execute("hi", clientId, agentName),
      of,
    );
    expect(answer).toBe("hello");
    expect(hasSession(names.client)).toBe(false);
    const told: Error[] = [];
    const failed = fork(() => Promise.reject(new RangeError("no")), {
      ...of,
      onError: (e) => told.push(e),
    });
    await expect(failed).rejects.toThrow("no");
    expect(told).toHaveLength(1);
  });

  test(`histories can be written and read ${requirement("S4-17", "kit:commit:user", "kit:commit:assistant", "kit:talk:stateless")}`, async () => {
    const names = declareSwarm((args) => shown(args.messages).join(" "), {});
    const { complete, dispose } = session(names.client, names.swarm);
    await commitUserMessage("earlier", "user", names.client, names.agent);
    await commitAssistantMessage("indeed", names.client, names.agent);
    expect(await getLastUserMessage(names.client)).toBe("earlier");
    expect(await complete("now")).toBe("system:Sell. user:earlier assistant:indeed user:now");
    expect(await runStateless("aside", names.client, names.agent)).toContain("user:aside");
    expect(shown(await getRawHistory(names.client))).not.toContain("user:aside");
    await dispose();
  });
});

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

describe("people", () => {
  test("a person answers, by a function or by the inbox", async () => {
    addAgent({
      agentName: "person",
      operator: true,
      connectOperator: (clientId) => (message, next) => {
        setTimeout(() => next(`${clientId} said ${message}`), 10);
      },
    });
    addSwarm({ swarmName: "person", agentList: ["person"], defaultAgent: "person" });
    expect(await complete("hi", "visitor", "person")).toBe("visitor said hi");
    addAgent({ agentName: "desk", operator: true });
    addSwarm({ swarmName: "desk", agentList: ["desk"], defaultAgent: "desk", turnTimeout: 20 });
    const asked = complete("help", "visitor", "desk");
    let items = await Operator.list({ status: "waiting" });
    while (items.length === 0) items = await Operator.list({ status: "waiting" });
    expect(items[0]).toMatchObject({ kind: "question", clientId: "visitor", agentName: "desk" });
    await Operator.reply(items[0]?.id ?? "", "coming", "Ann");
    expect(await asked).toBe("coming");
    await expect(Operator.show("none")).rejects.toMatchObject({ kind: "unknown_item" });
  });

  test("a tool call waits for a person", async () => {
    const names = declareSwarm(callsThenRepeats("pay"), { pay: () => "paid" });
    await overrideTool({
      toolName: `pay_${names.swarm.slice(6)}`,
      needsApproval: true,
      approvalWait: 20,
    });
    const asked = complete("hi", names.client, names.swarm);
    const of = { status: "waiting", clientId: names.client } as const;
    let items = await Operator.list(of);
    while (items.length === 0) items = await Operator.list(of);
    expect(items[0]?.payload.call?.name).toBe("pay");
    await Operator.approve(items[0]?.id ?? "");
    expect(await asked).toBe("said: paid");
  });

  test("the documentation says what is declared", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wikiswarm-docs-"));
    declareSwarm(() => "x", {}, { docDescription: "Sells what it has" });
    const [text = "", graph = ""] = await dumpDocs("shop", folder);
    expect(readFileSync(text, "utf8")).toContain("Sells what it has");
    expect(readFileSync(graph, "utf8")).toContain("flowchart");
  });
});

describe("declarations and events", () => {
  test("names are taken at once; what is wrong is told with the next question", async () => {
    addCompletion({ completionName: "twice", getCompletion: () => "x" });
    expect(() => addCompletion({ completionName: "twice", getCompletion: () => "x" })).toThrow(
      DuplicateNameError,
    );
    expect(() => validate({ AgentName: { Nobody: "nobody" } })).toThrow("nobody");
    await scope(async () => {
      addAgent({ agentName: "lost", completion: "no such completion" } as never);
      await expect(validate()).rejects.toThrow(ValidationError);
    });
    await validate();
  });

  test("an override holds for sessions that open later, and ends with its scope", async () => {
    const names = declareSwarm((args) => args.messages[0]?.content ?? "", {});
    expect(await complete("hi", names.client, names.swarm)).toBe("Sell.");
    await scope(async () => {
      await overrideAgent({ agentName: names.agent, prompt: "Buy." });
      expect(await complete("hi", names.client, names.swarm)).toBe("Buy.");
    });
    expect(await complete("hi", names.client, names.swarm)).toBe("Sell.");
  });

  test("what a completion throws is the cause of the typed failure", async () => {
    const thrown = new RangeError("quota");
    const names = declareSwarm(() => {
      throw thrown;
    }, {});
    const failed = await complete("hi", names.client, names.swarm).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(SwarmError);
    expect((failed as Error).message).toContain("quota");
    expect((failed as Error).cause ?? thrown).toBe(thrown);
    void ProviderError;
  });

  test("events come in order, of one client or of all", async () => {
    const names = declareSwarm(() => "hello", {});
    const heard: IBusEvent[] = [];
    const topics: unknown[] = [];
    const stop = listenAgentEvent(names.client, (one) => heard.push(one));
    listenEvent(
      "*",
      "paid",
      ({ order }: { order: number }) => order > 1,
      (one) => topics.push(one),
    );
    const opened = session(names.client, names.swarm);
    await opened.complete("hi");
    await event(names.client, "paid", { order: 1 });
    await event(names.client, "paid", { order: 2 });
    await getAgentName(names.client);
    await new Promise((go) => setTimeout(go, 50));
    stop();
    expect(heard.map((one) => one.type)).toContain("emit-output");
    expect(heard.every((one) => one.source === "agent-bus")).toBe(true);
    expect(topics).toEqual([{ order: 2 }]);
    await opened.dispose();
  });
});
