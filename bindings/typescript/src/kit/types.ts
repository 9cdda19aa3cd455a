/** The declarations as programs write them: the kit's names, and the fields that came since. */

import type { AnyFunction } from "../core/functions.js";
import type * as Wire from "../generated/wire.js";
import type {
  ExecutionMode,
  ICalledTool,
  ICompletionOutput,
  IModelMessage,
  ITool,
  IToolCall,
} from "./messages.js";

type Awaitable<T> = T | Promise<T>;
// biome-ignore lint/suspicious/noExplicitAny: values of the program's own
type Any = any;

/** Fields of a declaration on the wire that hold no function, beside those named here. */
type Further<Declaration, Named extends PropertyKey> = Omit<Declaration, Named | "kind">;

/** What a tool's function is given. */
export interface IToolCallParams<Params = Record<string, Any>> {
  /** Names the call; `commitToolOutput` takes it. */
  toolId: string;
  clientId: string;
  agentName: string;
  toolName: string;
  /** The arguments, checked against the schema. */
  params: Params;
  /** All calls of the same model answer. */
  toolCalls: IToolCall[];
  /** Aborts when the turn, or the time for the call, is over. */
  abortSignal: AbortSignal;
  /** What the model said beside the calls. */
  callReason: string;
  /** No other call of the same model answer comes after this one. */
  isLast: boolean;
}

/** A tool as the OpenAI API describes it. */
export interface IToolFunction {
  name: string;
  description: string;
  parameters?: {
    type: "object";
    properties?: { [name: string]: Any };
    required?: string[];
    [keyword: string]: Any;
  };
}

export interface IAgentToolCallbacks<Params = Record<string, Any>> {
  onBeforeCall?(toolId: string, clientId: string, agentName: string, params: Params): unknown;
  onAfterCall?(toolId: string, clientId: string, agentName: string, params: Params): unknown;
  onValidate?(clientId: string, agentName: string, params: Params): unknown;
  onCallError?(
    toolId: string,
    clientId: string,
    agentName: string,
    params: Params,
    error: Error,
  ): unknown;
}

/** A function that agents may call. */
export interface IAgentTool<Params = Record<string, Any>> {
  toolName: string;
  /** What it returns is the tool's output, unless it commits one itself. */
  call(dto: IToolCallParams<Params>): unknown;
  type?: "function";
  function: IToolFunction | ((clientId: string, agentName: string) => Awaitable<IToolFunction>);
  validate?(dto: {
    clientId: string;
    agentName: string;
    params: Params;
    toolCalls: IToolCall[];
  }): Awaitable<boolean | string>;
  isAvailable?(clientId: string, agentName: string, toolName: string): Awaitable<boolean>;
  docNote?: string;
  callbacks?: Partial<IAgentToolCallbacks<Params>>;
  /** Seconds for one call. */
  timeout?: number;
  /** It changes nothing. */
  readOnly?: boolean;
  /** A person has to agree to each call. */
  needsApproval?: boolean;
  approvalWait?: number;
  examples?: string[];
}

/** What a completion is asked. */
export interface ICompletionArgs {
  clientId: string;
  agentName: string;
  mode: ExecutionMode;
  messages: IModelMessage[];
  tools?: ITool[];
  outlineName?: string;
  /** The JSON Schema of the document that an outline wants. */
  format?: { type: "json_schema"; json_schema: { name: string; schema: Any; strict?: boolean } };
  /** Aborts when nobody waits for the answer any more. */
  abortSignal: AbortSignal;
}

/** A function that answers instead of a model, or what an `Adapter` made. */
export type GetCompletion = (args: ICompletionArgs) => Awaitable<ICompletionOutput | string>;

/** How to reach a model that agents speak through. */
export interface ICompletionSchema
  extends Partial<
    Further<
      Wire.CompletionDeclaration,
      "completionName" | "getCompletion" | "callbacks" | "jsonMode"
    >
  > {
  completionName: string;
  getCompletion?: GetCompletion;
  /** True: for outlines only; false: for agents only. */
  json?: boolean;
  callbacks?: { onComplete?(args: ICompletionArgs, output: ICompletionOutput): unknown };
}

/** A model that was fine-tuned on your questions and answers, asked by a tool. */
export interface IWikiSchema
  extends Partial<Further<Wire.WikiDeclaration, "wikiName" | "getChat" | "callbacks">> {
  wikiName: string;
  getChat?(args: IChatArgs): Awaitable<string>;
  callbacks?: { onChat?(args: IChatArgs): unknown };
}

/** A question to a wiki. */
export interface IChatArgs {
  message: string;
  images?: string[];
}

export interface IAgentCallbacks {
  onInit?(clientId: string, agentName: string): unknown;
  onDispose?(clientId: string, agentName: string): unknown;
  onRun?(clientId: string, agentName: string, content: string): unknown;
  onExecute?(clientId: string, agentName: string, content: string, mode: ExecutionMode): unknown;
  onToolOutput?(clientId: string, agentName: string, toolId: string, content: string): unknown;
  onToolRequest?(clientId: string, agentName: string, toolCalls: IToolCall[]): unknown;
  onToolError?(clientId: string, agentName: string, toolId: string, reason: string): unknown;
  onAfterToolCalls?(clientId: string, agentName: string, toolCalls: IToolCall[]): unknown;
  onSystemMessage?(clientId: string, agentName: string, content: string): unknown;
  onDeveloperMessage?(clientId: string, agentName: string, content: string): unknown;
  onAssistantMessage?(clientId: string, agentName: string, content: string): unknown;
  onUserMessage?(clientId: string, agentName: string, content: string): unknown;
  onFlush?(clientId: string, agentName: string): unknown;
  onOutput?(clientId: string, agentName: string, content: string): unknown;
  onResurrect?(clientId: string, agentName: string, mode: string, reason?: string): unknown;
}

/** Passes a message on to a person, whose answer goes to `next`; may return what stops it. */
export type OperatorFunction = (
  message: string,
  next: (answer: string) => Promise<void>,
) => unknown;

type AgentFunctions =
  | "agentName"
  | "prompt"
  | "systemDynamic"
  | "mapToolCalls"
  | "mapMessage"
  | "validateOutput"
  | "transform"
  | "connectOperator"
  | "getRescue"
  | "callbacks";

/** One agent: a prompt, a model, and what it may use. */
export interface IAgentSchema extends Partial<Further<Wire.AgentDeclaration, AgentFunctions>> {
  agentName: string;
  prompt?: string | ((clientId: string, agentName: string) => Awaitable<string>);
  systemDynamic?(clientId: string, agentName: string): Awaitable<string | string[]>;
  mapToolCalls?(
    toolCalls: IToolCall[],
    clientId: string,
    agentName: string,
  ): Awaitable<ICalledTool[]>;
  /** Return null, or the reason why an answer is sent back to the model. */
  validate?(output: string): Awaitable<string | null | undefined>;
  transform?(text: string, clientId: string, agentName: string): Awaitable<string>;
  map?(message: IModelMessage, clientId: string, agentName: string): Awaitable<ICompletionOutput>;
  connectOperator?(clientId: string, agentName: string): OperatorFunction;
  getRescue?(clientId: string, agentName: string): Awaitable<ICompletionOutput | string>;
  callbacks?: Partial<IAgentCallbacks>;
}

export interface ISwarmCallbacks {
  onConnect?(clientId: string, swarmName: string): unknown;
  onInit?(clientId: string, swarmName: string): unknown;
  onDispose?(clientId: string, swarmName: string): unknown;
  onExecute?(clientId: string, swarmName: string, content: string, mode: ExecutionMode): unknown;
  onRun?(clientId: string, swarmName: string, content: string): unknown;
  onEmit?(clientId: string, swarmName: string, content: string): unknown;
  onAgentChanged?(clientId: string, swarmName: string, agentName: string): unknown;
}

type SwarmFunctions =
  | "swarmName"
  | "agentList"
  | "defaultAgent"
  | "getActiveAgent"
  | "setActiveAgent"
  | "getNavigationStack"
  | "setNavigationStack"
  | "callbacks";

/** Agents that share one conversation. */
export interface ISwarmSchema extends Partial<Further<Wire.SwarmDeclaration, SwarmFunctions>> {
  swarmName: string;
  agentList: string[];
  defaultAgent: string;
  persist?: boolean;
  getActiveAgent?(clientId: string, swarmName: string): Awaitable<string | null>;
  setActiveAgent?(clientId: string, agentName: string, swarmName: string): unknown;
  getNavigationStack?(clientId: string, swarmName: string): Awaitable<string[]>;
  setNavigationStack?(clientId: string, agentNames: string[], swarmName: string): unknown;
  callbacks?: Partial<ISwarmCallbacks>;
}

export interface IPolicyCallbacks {
  onInit?(policyName: string): unknown;
  onValidateInput?(text: string, clientId: string, swarmName: string, policyName: string): unknown;
  onValidateOutput?(text: string, clientId: string, swarmName: string, policyName: string): unknown;
  onBanClient?(clientId: string, swarmName: string, policyName: string): unknown;
  onUnbanClient?(clientId: string, swarmName: string, policyName: string): unknown;
}

type PolicyFunctions =
  | "policyName"
  | "getBanMessage"
  | "validateInput"
  | "validateOutput"
  | "rewriteInput"
  | "rewriteOutput"
  | "getBannedClients"
  | "setBannedClients"
  | "callbacks";
type Verdict = Awaitable<boolean | string | null | undefined>;

/** What may be said in a swarm, and who may not talk to it. */
export interface IPolicySchema extends Partial<Further<Wire.PolicyDeclaration, PolicyFunctions>> {
  policyName: string;
  getBanMessage?(clientId: string, policyName: string, swarmName: string): Awaitable<string | null>;
  validateInput?(text: string, clientId: string, swarmName: string): Verdict;
  validateOutput?(text: string, clientId: string, swarmName: string): Verdict;
  rewriteInput?(text: string, clientId: string, swarmName: string): Awaitable<string | null>;
  rewriteOutput?(text: string, clientId: string, swarmName: string): Awaitable<string | null>;
  getBannedClients?(policyName: string, swarmName: string): Awaitable<string[]>;
  setBannedClients?(clientIds: string[], policyName: string, swarmName: string): unknown;
  callbacks?: Partial<IPolicyCallbacks>;
}

export interface IStateCallbacks<T> {
  onInit?(clientId: string, stateName: string): unknown;
  onDispose?(clientId: string, stateName: string): unknown;
  onLoad?(state: T, clientId: string, stateName: string): unknown;
  onRead?(state: T, clientId: string, stateName: string): unknown;
  onWrite?(state: T, clientId: string, stateName: string): unknown;
}

/** A value that belongs to a client in a swarm, or to everybody. */
export interface IStateSchema<T = Any> {
  stateName: string;
  getDefaultState?(clientId: string, stateName: string): Awaitable<T>;
  /** The value before the first write, in place of `getDefaultState`. */
  default?: T;
  shared?: boolean;
  persist?: boolean;
  getState?(clientId: string, stateName: string): Awaitable<T | null>;
  setState?(state: T, clientId: string, stateName: string): unknown;
  middlewares?: ((state: T, clientId: string, stateName: string) => Awaitable<T>)[];
  docDescription?: string;
  callbacks?: Partial<IStateCallbacks<T>>;
}

/** An item of a storage. */
export interface IStorageData {
  id: string | number;
}

export interface IStorageCallbacks<T> {
  onInit?(clientId: string, storageName: string): unknown;
  onDispose?(clientId: string, storageName: string): unknown;
  onUpdate?(items: T[], clientId: string, storageName: string): unknown;
  onSearch?(search: string, items: T[], clientId: string, storageName: string): unknown;
}

type StorageFunctions =
  | "storageName"
  | "index"
  | "getDefault"
  | "default"
  | "getData"
  | "setData"
  | "callbacks";

/** Items that are found again by their meaning. */
export interface IStorageSchema<T extends IStorageData = Any>
  extends Partial<Further<Wire.StorageDeclaration, StorageFunctions>> {
  storageName: string;
  createIndex?(item: T): Awaitable<string | Record<string, string>>;
  getDefaultData?(clientId: string, storageName: string): Awaitable<T[]>;
  default?: T[];
  getData?(clientId: string, storageName: string): Awaitable<T[] | null>;
  setData?(items: T[], clientId: string, storageName: string): unknown;
  callbacks?: Partial<IStorageCallbacks<T>>;
}

type EmbeddingFunctions =
  | "embeddingName"
  | "create"
  | "getSimilarity"
  | "readEmbeddingCache"
  | "writeEmbeddingCache"
  | "callbacks";

/** How texts become vectors, and how two vectors are compared. */
export interface IEmbeddingSchema
  extends Partial<Further<Wire.EmbeddingDeclaration, EmbeddingFunctions>> {
  embeddingName: string;
  createEmbedding?(text: string, embeddingName: string): Awaitable<number[]>;
  calculateSimilarity?(first: number[], second: number[]): Awaitable<number>;
  readEmbeddingCache?(embeddingName: string, hash: string): Awaitable<number[] | null>;
  writeEmbeddingCache?(vector: number[], embeddingName: string, hash: string): unknown;
  callbacks?: {
    onCreate?(text: string, vector: number[], embeddingName: string): unknown;
    onCompare?(search: string, scores: unknown, embeddingName: string): unknown;
  };
}

/** A value that is computed when it is asked for, and remembered for a while. */
export interface IComputeSchema<T = Any> {
  computeName: string;
  getComputeData(clientId: string, computeName: string): Awaitable<T>;
  dependsOn?: string[];
  middlewares?: ((value: T, clientId: string, computeName: string) => Awaitable<T>)[];
  shared?: boolean;
  /** Milliseconds that a value is remembered. */
  ttl?: number;
  docDescription?: string;
  callbacks?: {
    onInit?(clientId: string, computeName: string): unknown;
    onDispose?(clientId: string, computeName: string): unknown;
    onCompute?(value: T, clientId: string, computeName: string): unknown;
    onCalculate?(stateName: string, clientId: string, computeName: string): unknown;
    onUpdate?(clientId: string, computeName: string): unknown;
  };
}

/** A tool of an MCP server. */
export interface IMCPTool {
  name: string;
  description?: string;
  inputSchema: { type: "object"; properties?: Any; required?: string[] };
}

/** A server of tools: two functions in this program, or a real one by `command` or `url`. */
export interface IMCPSchema
  extends Partial<
    Further<Wire.McpDeclaration, "mcpName" | "listTools" | "callTool" | "callbacks">
  > {
  mcpName: string;
  listTools?(clientId: string): Awaitable<IMCPTool[]>;
  callTool?(toolName: string, dto: IToolCallParams): Awaitable<string | undefined>;
  callbacks?: {
    onInit?(mcpName: string): unknown;
    onDispose?(mcpName: string): unknown;
    onFetch?(clientId: string | null, mcpName: string): unknown;
    onList?(toolNames: string[], clientId: string, mcpName: string): unknown;
    onCall?(toolName: string, dto: IToolCallParams): unknown;
    onUpdate?(clientId: string | null, mcpName: string): unknown;
  };
}

/** What a validation of an outline is given. */
export interface IOutlineValidationArgs<Data = Any> {
  data: Data;
}

type Validation<Data> = (args: IOutlineValidationArgs<Data>) => unknown;

/** One attempt at an outline. */
export interface IOutlineArgs {
  attempt: number;
  format: Any;
  history: IModelMessage[];
  resultId: string;
  outlineName: string;
}

/** A document, or why there is none. */
export interface IOutlineResult<Data = Any> {
  isValid: boolean;
  resultId: string;
  history: IModelMessage[];
  error: string | null;
  params: unknown[];
  data: Data | null;
  attempt: number;
  outlineName: string;
  model: string;
}

type OutlineFunctions =
  | "outlineName"
  | "completion"
  | "format"
  | "prompt"
  | "system"
  | "getOutlineHistory"
  | "validations"
  | "callbacks";

/** A JSON document that a model fills in. */
export interface IOutlineSchema<Data = Any>
  extends Partial<Further<Wire.OutlineDeclaration, OutlineFunctions>> {
  outlineName: string;
  completion: string;
  format: object;
  prompt?: string | ((outlineName: string) => Awaitable<string>);
  system?: string | string[] | ((outlineName: string) => Awaitable<string | string[]>);
  getOutlineHistory?(args: IOutlineArgs, ...params: Any[]): Awaitable<Partial<IModelMessage>[]>;
  /** Each throws, or returns a text, when a document is not valid. */
  validations?: (Validation<Data> | { validate: Validation<Data>; docDescription?: string })[];
  callbacks?: {
    onAttempt?(args: IOutlineArgs): unknown;
    onDocument?(document: Data, args: IOutlineArgs): unknown;
    onValidDocument?(result: IOutlineResult<Data>): unknown;
    onInvalidDocument?(result: IOutlineResult<Data>): unknown;
  };
}

/** Something that answers one message at a time. */
export interface IAdvisorSchema<Message = string>
  extends Partial<Further<Wire.AdvisorDeclaration, "advisorName" | "getChat" | "callbacks">> {
  advisorName: string;
  getChat?(message: Message): Awaitable<string>;
  callbacks?: {
    onChat?(message: Message): unknown;
    onResult?(resultId: string, content: string): unknown;
  };
}

/** A procedure of the program that runs while a certain agent is the active one. */
export interface IPipelineSchema<Payload = Any> {
  pipelineName: string;
  execute(clientId: string, agentName: string, payload: Payload): unknown;
  docDescription?: string;
  callbacks?: {
    onStart?(clientId: string, pipelineName: string, agentName: string, payload: Payload): unknown;
    onEnd?(
      clientId: string,
      pipelineName: string,
      agentName: string,
      payload: Payload,
      isError: boolean,
    ): unknown;
    onError?(
      clientId: string,
      pipelineName: string,
      agentName: string,
      payload: Payload,
      error: Error,
    ): unknown;
  };
}

/** Any function, for translations. */
export type Fn = AnyFunction;
