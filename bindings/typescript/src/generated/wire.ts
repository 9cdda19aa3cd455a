// Made by scripts/generate.mjs from wire.schema.json; do not edit.

/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "JsonValue".
 */
export type JsonValue = unknown;

/**
 * The messages of "swarm wire 1"; made by bindings.rpc.schema.
 */
export interface Wire {
  AckParams?: AckParams;
  AdvisorCallbacks?: AdvisorCallbacks;
  AdvisorDeclaration?: AdvisorDeclaration;
  AgentCallbacks?: AgentCallbacks;
  AgentDeclaration?: AgentDeclaration;
  AgentNavigationDeclaration?: AgentNavigationDeclaration;
  AskParams?: AskParams;
  BoundFunction?: BoundFunction;
  BreakerSpec?: BreakerSpec;
  BudgetSpec?: BudgetSpec;
  BusEventParams?: BusEventParams;
  Call?: Call;
  CallbackInvokeParams?: CallbackInvokeParams;
  CallbackNotifyParams?: CallbackNotifyParams;
  CallbackRef?: CallbackRef;
  CallbackReleaseParams?: CallbackReleaseParams;
  CallbackResult?: CallbackResult;
  CancelOutputForceParams?: CancelOutputForceParams;
  CancelOutputParams?: CancelOutputParams;
  CancelParams?: CancelParams;
  CandidateSpec?: CandidateSpec;
  Capabilities?: Capabilities;
  CatalogGetParams?: CatalogGetParams;
  CatalogResult?: CatalogResult;
  ChangeToAgentParams?: ChangeToAgentParams;
  ChangeToDefaultAgentParams?: ChangeToDefaultAgentParams;
  ChangeToPrevAgentParams?: ChangeToPrevAgentParams;
  ChatParams?: ChatParams;
  CommitActionDeclaration?: CommitActionDeclaration;
  CommitAssistantMessageForceParams?: CommitAssistantMessageForceParams;
  CommitAssistantMessageParams?: CommitAssistantMessageParams;
  CommitDeveloperMessageForceParams?: CommitDeveloperMessageForceParams;
  CommitDeveloperMessageParams?: CommitDeveloperMessageParams;
  CommitFlushForceParams?: CommitFlushForceParams;
  CommitFlushParams?: CommitFlushParams;
  CommitStopToolsForceParams?: CommitStopToolsForceParams;
  CommitStopToolsParams?: CommitStopToolsParams;
  CommitSystemMessageForceParams?: CommitSystemMessageForceParams;
  CommitSystemMessageParams?: CommitSystemMessageParams;
  CommitToolOutputForceParams?: CommitToolOutputForceParams;
  CommitToolOutputParams?: CommitToolOutputParams;
  CommitToolRequestForceParams?: CommitToolRequestForceParams;
  CommitToolRequestParams?: CommitToolRequestParams;
  CommitUserMessageForceParams?: CommitUserMessageForceParams;
  CommitUserMessageParams?: CommitUserMessageParams;
  CompleteParams?: CompleteParams;
  CompletionCallbacks?: CompletionCallbacks;
  CompletionDeclaration?: CompletionDeclaration;
  ComputeCallbacks?: ComputeCallbacks;
  ComputeDeclaration?: ComputeDeclaration;
  ComputeGetParams?: ComputeGetParams;
  ComputeUpdateParams?: ComputeUpdateParams;
  CoreInfo?: CoreInfo;
  DeclareParams?: DeclareParams;
  DeclareResult?: DeclareResult;
  DescribeParams?: DescribeParams;
  DisposeConnectionParams?: DisposeConnectionParams;
  EmbeddingCallbacks?: EmbeddingCallbacks;
  EmbeddingDeclaration?: EmbeddingDeclaration;
  EmitForceParams?: EmitForceParams;
  EmitParams?: EmitParams;
  Empty?: Empty;
  ErrorData?: ErrorData;
  EventParams?: EventParams;
  ExecuteForceParams?: ExecuteForceParams;
  ExecuteParams?: ExecuteParams;
  FetchInfoDeclaration?: FetchInfoDeclaration;
  FunctionBindParams?: FunctionBindParams;
  FunctionBindResult?: FunctionBindResult;
  FunctionCallParams?: FunctionCallParams;
  GetAgentHistoryParams?: GetAgentHistoryParams;
  GetAgentNameParams?: GetAgentNameParams;
  GetAssistantHistoryParams?: GetAssistantHistoryParams;
  GetCheckBusyParams?: GetCheckBusyParams;
  GetLastAssistantMessageParams?: GetLastAssistantMessageParams;
  GetLastSystemMessageParams?: GetLastSystemMessageParams;
  GetLastToolMessageParams?: GetLastToolMessageParams;
  GetLastUserMessageParams?: GetLastUserMessageParams;
  GetNavigationRouteParams?: GetNavigationRouteParams;
  GetOnlineParams?: GetOnlineParams;
  GetPayloadParams?: GetPayloadParams;
  GetRawHistoryParams?: GetRawHistoryParams;
  GetSessionContextParams?: GetSessionContextParams;
  GetSessionModeParams?: GetSessionModeParams;
  GetToolNameForModelParams?: GetToolNameForModelParams;
  GetUserHistoryParams?: GetUserHistoryParams;
  HasNavigationParams?: HasNavigationParams;
  HasSessionParams?: HasSessionParams;
  InboxApproveParams?: InboxApproveParams;
  InboxItem?: InboxItem;
  InboxListParams?: InboxListParams;
  InboxRejectParams?: InboxRejectParams;
  InboxReplyParams?: InboxReplyParams;
  InboxShowParams?: InboxShowParams;
  InitializeParams?: InitializeParams;
  InitializeResult?: InitializeResult;
  IsOnlineParams?: IsOnlineParams;
  Issue?: Issue;
  JsonParams?: JsonParams;
  JsonValue?: JsonValue;
  Limits?: Limits;
  LogParams?: LogParams;
  LoopGateSpec?: LoopGateSpec;
  LoopSpec?: LoopSpec;
  MarkOfflineParams?: MarkOfflineParams;
  MarkOnlineParams?: MarkOnlineParams;
  McpCallbacks?: McpCallbacks;
  McpDeclaration?: McpDeclaration;
  McpUpdateParams?: McpUpdateParams;
  Message?: Message;
  NotifyForceParams?: NotifyForceParams;
  NotifyParams?: NotifyParams;
  OutlineCallbacks?: OutlineCallbacks;
  OutlineDeclaration?: OutlineDeclaration;
  OutlineResult?: OutlineResult;
  OverrideParams?: OverrideParams;
  OverrideResult?: OverrideResult;
  Payload?: Payload;
  PipelineCallbacks?: PipelineCallbacks;
  PipelineDeclaration?: PipelineDeclaration;
  PolicyBanClientParams?: PolicyBanClientParams;
  PolicyCallbacks?: PolicyCallbacks;
  PolicyDeclaration?: PolicyDeclaration;
  PolicyHasBanParams?: PolicyHasBanParams;
  PolicyUnbanClientParams?: PolicyUnbanClientParams;
  ProgramInfo?: ProgramInfo1;
  ProgressParams?: ProgressParams;
  QuestionParams?: QuestionParams;
  ReadSessionMemoryParams?: ReadSessionMemoryParams;
  Reply?: Reply;
  RestoreParams?: RestoreParams;
  Resume?: Resume;
  RouteSpec?: RouteSpec;
  RunStatelessForceParams?: RunStatelessForceParams;
  RunStatelessParams?: RunStatelessParams;
  SerializeParams?: SerializeParams;
  SessionChangedParams?: SessionChangedParams;
  SessionCompleteParams?: SessionCompleteParams;
  SessionContext?: SessionContext;
  SessionName?: SessionName;
  SessionOpenParams?: SessionOpenParams;
  SharedComputeGetParams?: SharedComputeGetParams;
  SharedComputeUpdateParams?: SharedComputeUpdateParams;
  SharedStateClearParams?: SharedStateClearParams;
  SharedStateGetParams?: SharedStateGetParams;
  SharedStateSetParams?: SharedStateSetParams;
  SharedStorageClearParams?: SharedStorageClearParams;
  SharedStorageCreateNumericIndexParams?: SharedStorageCreateNumericIndexParams;
  SharedStorageGetParams?: SharedStorageGetParams;
  SharedStorageListParams?: SharedStorageListParams;
  SharedStorageRemoveParams?: SharedStorageRemoveParams;
  SharedStorageTakeParams?: SharedStorageTakeParams;
  SharedStorageUpsertParams?: SharedStorageUpsertParams;
  ShownMessage?: ShownMessage;
  StartPipelineParams?: StartPipelineParams;
  StateCallbacks?: StateCallbacks;
  StateClearParams?: StateClearParams;
  StateDeclaration?: StateDeclaration;
  StateGetParams?: StateGetParams;
  StateSetParams?: StateSetParams;
  StorageCallbacks?: StorageCallbacks;
  StorageClearParams?: StorageClearParams;
  StorageCreateNumericIndexParams?: StorageCreateNumericIndexParams;
  StorageDeclaration?: StorageDeclaration;
  StorageGetParams?: StorageGetParams;
  StorageListParams?: StorageListParams;
  StorageRemoveParams?: StorageRemoveParams;
  StorageTakeParams?: StorageTakeParams;
  StorageUpsertParams?: StorageUpsertParams;
  SubscribeParams?: SubscribeParams;
  SubscribeResult?: SubscribeResult;
  SwarmCallbacks?: SwarmCallbacks;
  SwarmDeclaration?: SwarmDeclaration;
  ToJsonSchemaParams?: ToJsonSchemaParams;
  ToolCall?: ToolCall;
  ToolCallbacks?: ToolCallbacks;
  ToolDeclaration?: ToolDeclaration;
  ToolFunction?: ToolFunction;
  TriageNavigationDeclaration?: TriageNavigationDeclaration;
  UnsubscribeParams?: UnsubscribeParams;
  Usage?: Usage;
  ValidateToolArgumentsParams?: ValidateToolArgumentsParams;
  WatchSpec?: WatchSpec;
  WikiCallbacks?: WikiCallbacks;
  WikiDeclaration?: WikiDeclaration;
  WriteSessionMemoryParams?: WriteSessionMemoryParams;
}
/**
 * How many frames of the other side have arrived, over all the connection's life.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "AckParams".
 */
export interface AckParams {
  received: number;
}
/**
 * Functions that hear of an advisor.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "AdvisorCallbacks".
 */
export interface AdvisorCallbacks {
  /**
   * `(message)`, before the advisor is asked.
   */
  onChat?: CallbackRef | null;
  /**
   * `(result_id, content)`, when it has answered.
   */
  onResult?: CallbackRef | null;
}
/**
 * A function of the program: the core calls it by `callback/invoke` or `callback/notify`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CallbackRef".
 */
export interface CallbackRef {
  /**
   * Its id: the kind of the declaration, its name and the field, such as `tool:find.call`.
   */
  $callback: string;
}
/**
 * Something that answers one message at a time: a function, or a model.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "AdvisorDeclaration".
 */
export interface AdvisorDeclaration {
  kind: "advisor";
  /**
   * What `ask` calls it.
   */
  advisorName: string;
  /**
   * A function `(message) -> str`; the message is whatever `ask` was given.
   */
  getChat?: CallbackRef | null;
  /**
   * The name of a declared completion that answers; it may not have `json_mode: true`.
   */
  completion?: string | null;
  /**
   * A model reference that answers, such as `openai/gpt-5` or `gguf/shop.gguf`.
   */
  model?: string | null;
  /**
   * System lines for the model.
   */
  system?: string | string[];
  /**
   * Seconds for one answer.
   */
  timeout?: number;
  /**
   * Functions that are told of questions and answers.
   */
  callbacks?: AdvisorCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * Functions that hear of an agent; each takes `client_id` and `agent_name` first.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "AgentCallbacks".
 */
export interface AgentCallbacks {
  /**
   * `(client_id, agent_name)`, when a session with the agent opens.
   */
  onInit?: CallbackRef | null;
  /**
   * `(client_id, agent_name)`, when that session closes.
   */
  onDispose?: CallbackRef | null;
  /**
   * `(client_id, agent_name, content)`, before a model call that writes nothing down.
   */
  onRun?: CallbackRef | null;
  /**
   * `(client_id, agent_name, content, mode)`, before the agent answers a message.
   */
  onExecute?: CallbackRef | null;
  /**
   * `(client_id, agent_name, tool_id, content)`, when a tool call has its output.
   */
  onToolOutput?: CallbackRef | null;
  /**
   * `(client_id, agent_name, tool_calls)`, when the model asks for tools.
   */
  onToolRequest?: CallbackRef | null;
  /**
   * `(client_id, agent_name, tool_id, reason)`, when a tool failed.
   */
  onToolError?: CallbackRef | null;
  /**
   * `(client_id, agent_name, tool_calls)`, when all calls of one model answer have ended.
   */
  onAfterToolCalls?: CallbackRef | null;
  /**
   * `(client_id, agent_name, content)`, when a system message is committed.
   */
  onSystemMessage?: CallbackRef | null;
  /**
   * `(client_id, agent_name, content)`, when a developer message is committed.
   */
  onDeveloperMessage?: CallbackRef | null;
  /**
   * `(client_id, agent_name, content)`, when an assistant message is committed or answered.
   */
  onAssistantMessage?: CallbackRef | null;
  /**
   * `(client_id, agent_name, content)`, when a user message joins the history.
   */
  onUserMessage?: CallbackRef | null;
  /**
   * `(client_id, agent_name)`, when the history before now is hidden.
   */
  onFlush?: CallbackRef | null;
  /**
   * `(client_id, agent_name, content)`, when the agent has answered.
   */
  onOutput?: CallbackRef | null;
  /**
   * `(client_id, agent_name, mode, reason)`, when a bad model output is being mended.
   */
  onResurrect?: CallbackRef | null;
}
/**
 * One agent: a prompt, a model, and what it may use.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "AgentDeclaration".
 */
export interface AgentDeclaration {
  kind: "agent";
  /**
   * What swarms and other agents call it.
   */
  agentName: string;
  /**
   * The name of a declared completion; an `operator` needs none.
   */
  completion?: string | null;
  /**
   * A person answers, through the inbox or `connect_operator`.
   */
  operator?: boolean;
  /**
   * A function `(client_id, agent_name)`, asked once per session, that returns a function
   * `(message, reply)`: it passes each message on to the person, whose answer goes to `reply(text)`,
   * from any thread, now or later. What it returns is called when the turn stops waiting.
   */
  connectOperator?: CallbackRef | null;
  /**
   * The system prompt, or a function `(client_id, agent_name) -> str`.
   */
  prompt?: string | CallbackRef;
  /**
   * Further system lines after the prompt.
   */
  system?: string | string[];
  /**
   * The same as `system`, which comes before it.
   */
  systemStatic?: string | string[];
  /**
   * A function `(client_id, agent_name) -> str | list[str]`, asked before each model call.
   */
  systemDynamic?: CallbackRef | null;
  /**
   * The tools that this agent may call.
   */
  tools?: string[];
  /**
   * The wikis that this agent may ask.
   */
  wikiList?: string[];
  /**
   * MCP servers whose tools this agent may call, after its own.
   */
  mcp?: string[];
  /**
   * Agents that this one may hand over to; each is offered as a tool `transfer_to_NAME`.
   */
  handoffs?: string[];
  /**
   * Agents that its tools hand over to by `change_to_agent`; documentation and checks read it,
   * and nothing forbids others.
   */
  dependsOn?: string[];
  /**
   * The states that its tools may read and change.
   */
  states?: string[];
  /**
   * The storages that its tools may search and change.
   */
  storages?: string[];
  /**
   * How many messages of the history the model sees.
   */
  keepMessages?: number;
  /**
   * How many tokens of the history the model sees, about; the newest question always.
   */
  keepTokens?: number | null;
  /**
   * Let the model sum up what no longer fits, and show the summary in its place.
   */
  summarize?: boolean;
  /**
   * Tool calls in one turn; a call past it gets an error output that the model sees.
   */
  maxToolCalls?: number;
  /**
   * Run the calls of one model answer at the same time instead of in order.
   */
  parallelToolCalls?: boolean;
  /**
   * How often in a row a bad model output is sent back with the reason.
   */
  maxRepairs?: number;
  /**
   * The answer when the repairs are used up.
   */
  placeholder?: string;
  /**
   * After a bad model output: ask again with the reason; hide the history and give the
   * placeholder; or let `get_rescue` answer.
   */
  rescue?: "repair" | "flush" | "custom";
  /**
   * A function `(client_id, agent_name)` that returns the answer, as `get_completion` may.
   */
  getRescue?: CallbackRef | null;
  /**
   * A function `(message) -> message` on what the model says, such as a call written as text.
   */
  mapMessage?: CallbackRef | null;
  /**
   * A function `(calls, client_id, agent_name) -> calls` that filters or rewrites tool calls.
   */
  mapToolCalls?: CallbackRef | null;
  /**
   * A function `(text)` that returns None, or the reason why an answer is sent back.
   */
  validateOutput?: CallbackRef | null;
  /**
   * A function `(text) -> text` on each answer, before it is kept and shown.
   */
  transform?: CallbackRef | null;
  /**
   * What a turn may spend from this agent on, also after it handed over.
   */
  budget?: BudgetSpec | null;
  /**
   * Functions that are told what the agent does.
   */
  callbacks?: AgentCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * What may be spent; a limit that is absent does not hold. Costs are in US dollars.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "BudgetSpec".
 */
export interface BudgetSpec {
  /**
   * Tokens of one turn, in and out.
   */
  turnTokens?: number | null;
  /**
   * Cost of one turn.
   */
  turnCost?: number | null;
  /**
   * Time of one turn.
   */
  turnSeconds?: number | null;
  /**
   * Tokens of a whole conversation.
   */
  sessionTokens?: number | null;
  /**
   * Cost of a whole conversation.
   */
  sessionCost?: number | null;
}
/**
 * Declare a tool without parameters that hands the client over to an agent.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "AgentNavigationDeclaration".
 */
export interface AgentNavigationDeclaration {
  kind: "agentNavigation";
  toolName: string;
  description: string;
  navigateTo: string;
  docNote?: string | null;
  isAvailable?: CallbackRef | null;
  beforeNavigate?: CallbackRef | null;
  lastMessage?: CallbackRef | null;
  executeMessage?: string | CallbackRef | null;
  emitMessage?: string | CallbackRef | null;
  flushMessage?: string | CallbackRef | null;
  toolOutput?: string | CallbackRef | null;
}
/**
 * Ask an advisor and return what it says.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "AskParams".
 */
export interface AskParams {
  message: JsonValue;
  advisorName: string;
}
/**
 * An export of the program's file that is a function of a declaration of the core's.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "BoundFunction".
 */
export interface BoundFunction {
  /**
   * The kind of the declaration.
   */
  kind: string;
  /**
   * Its name.
   */
  name: string;
  /**
   * Where the function stands: `call`, `callbacks.onBeforeCall`, `validations.0`.
   */
  field: string;
  /**
   * What the file calls it.
   */
  export: string;
}
/**
 * When a model that fails is left alone for a while.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "BreakerSpec".
 */
export interface BreakerSpec {
  /**
   * Attempts in a row that found no connection, no answer in time or a 5xx; 0 never stops.
   */
  failures?: number;
  /**
   * Seconds without any call; then one call tries whether the model is back.
   */
  cooldown?: number;
}
/**
 * Something happened in a session.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "BusEventParams".
 */
export interface BusEventParams {
  /**
   * Counts the events of the connection from 1; a gap says that some were dropped.
   */
  seq: number;
  subscriptionId: string;
  bus: string;
  type: string;
  clientId: string;
  input: {
    [k: string]: unknown;
  };
  output: {
    [k: string]: unknown;
  };
  context: {
    [k: string]: string;
  };
  /**
   * Seconds since the epoch.
   */
  at: number;
}
/**
 * Where a function of the program is called from.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Call".
 */
export interface Call {
  /**
   * Requests that the function makes carry it as `_meta.callId`.
   */
  callId: string;
  clientId?: string | null;
  agentName?: string | null;
  /**
   * The turn.
   */
  runId?: string | null;
  /**
   * Milliseconds until the core stops waiting.
   */
  deadlineMs?: number | null;
}
/**
 * Calls a function of the program.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CallbackInvokeParams".
 */
export interface CallbackInvokeParams {
  callback: string;
  args: unknown[];
  call: Call;
}
/**
 * Tells an observer of the program; nobody waits for it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CallbackNotifyParams".
 */
export interface CallbackNotifyParams {
  callback: string;
  args: unknown[];
}
/**
 * Functions that the core will not call any more.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CallbackReleaseParams".
 */
export interface CallbackReleaseParams {
  callbacks: string[];
}
/**
 * What a function returned; null where it returned nothing.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CallbackResult".
 */
export interface CallbackResult {
  value?: {
    [k: string]: unknown;
  };
}
/**
 * End the running turn, whichever agent is active; see `cancel_output`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CancelOutputForceParams".
 */
export interface CancelOutputForceParams {
  clientId: string;
}
/**
 * End the running turn with an empty answer; what comes later is dropped.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CancelOutputParams".
 */
export interface CancelOutputParams {
  clientId: string;
  agentName: string;
}
/**
 * Which request its sender does not need any more; it is answered nevertheless.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CancelParams".
 */
export interface CancelParams {
  id: string | number;
}
/**
 * A new version that some clients are answered by, so that people can compare it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CandidateSpec".
 */
export interface CandidateSpec {
  /**
   * The share of clients that the model's version `@candidate` answers, from 0 to 1: the same
   * clients every time. While there is no candidate, and where it fails, the live version does.
   */
  share: number;
}
/**
 * What a side can do beyond version 1; unknown names are ignored.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Capabilities".
 */
export interface Capabilities {
  /**
   * Wants `$/progress` for a `session/complete` with a `progressToken`.
   */
  streaming?: boolean;
  /**
   * Sends and reads `$/ack`, and comes back after a lost connection.
   */
  resume?: boolean;
  /**
   * Wants the core's warnings as `log`.
   */
  log?: boolean;
}
/**
 * Which declarations to return; all of them when absent.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CatalogGetParams".
 */
export interface CatalogGetParams {
  kind?: string | null;
  name?: string | null;
}
/**
 * Declarations, as `catalog/declare` takes them; functions of Python are missing in them.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CatalogResult".
 */
export interface CatalogResult {
  declarations: {
    [k: string]: JsonValue;
  }[];
}
/**
 * Hand the conversation to another agent of the swarm.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ChangeToAgentParams".
 */
export interface ChangeToAgentParams {
  agentName: string;
  clientId: string;
}
/**
 * Hand the conversation to the swarm's default agent.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ChangeToDefaultAgentParams".
 */
export interface ChangeToDefaultAgentParams {
  clientId: string;
}
/**
 * Hand the conversation back to the agent that had it before, or to the default one.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ChangeToPrevAgentParams".
 */
export interface ChangeToPrevAgentParams {
  clientId: string;
}
/**
 * Ask a declared completion once, with its retries, and return the text of its answer.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ChatParams".
 */
export interface ChatParams {
  completionName: string;
  messages:
    | string
    | (
        | string
        | Message
        | {
            [k: string]: JsonValue;
          }
      )[];
}
/**
 * One entry of a history; only ever appended, never changed.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Message".
 */
export interface Message {
  role: "system" | "developer" | "user" | "assistant" | "tool";
  content: string;
  agentName: string | null;
  mode: "user" | "tool";
  toolCalls: ToolCall[];
  toolCallId: string | null;
  reasoning: string | null;
  payload: JsonValue;
}
/**
 * One call that the model asks for.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ToolCall".
 */
export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}
/**
 * Declare a tool that changes something: checked, run, its output kept, the client told.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitActionDeclaration".
 */
export interface CommitActionDeclaration {
  kind: "commitAction";
  toolName: string;
  function:
    | ToolFunction
    | {
        [k: string]: JsonValue;
      };
  executeAction: CallbackRef;
  successMessage: string | CallbackRef;
  validateParams?: CallbackRef | null;
  emptyContent?: string;
  failureMessage?: string | CallbackRef | null;
  fallback?: CallbackRef | null;
  isAvailable?: CallbackRef | null;
  docNote?: string | null;
}
/**
 * A tool as the OpenAI API describes it, for programs that declare tools that way.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ToolFunction".
 */
export interface ToolFunction {
  name: string;
  description?: string;
  parameters?: {
    [k: string]: JsonValue;
  };
}
/**
 * Put a message of whichever agent is active into the history.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitAssistantMessageForceParams".
 */
export interface CommitAssistantMessageForceParams {
  content: string;
  clientId: string;
}
/**
 * Put a message of the agent into the history; it is not the answer of a turn.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitAssistantMessageParams".
 */
export interface CommitAssistantMessageParams {
  content: string;
  clientId: string;
  agentName: string;
}
/**
 * Tell whichever agent is active something in the role `developer`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitDeveloperMessageForceParams".
 */
export interface CommitDeveloperMessageForceParams {
  content: string;
  clientId: string;
}
/**
 * Tell the agent something in the role `developer`; see `commit_system_message`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitDeveloperMessageParams".
 */
export interface CommitDeveloperMessageParams {
  content: string;
  clientId: string;
  agentName: string;
}
/**
 * Hide what was said before from models, whichever agent is active.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitFlushForceParams".
 */
export interface CommitFlushForceParams {
  clientId: string;
}
/**
 * Hide what was said before, and what was committed, from models; the journal keeps it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitFlushParams".
 */
export interface CommitFlushParams {
  clientId: string;
  agentName: string;
}
/**
 * Skip the tool calls that have not started, whichever agent is active.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitStopToolsForceParams".
 */
export interface CommitStopToolsForceParams {
  clientId: string;
}
/**
 * Skip the tool calls of this round that have not started.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitStopToolsParams".
 */
export interface CommitStopToolsParams {
  clientId: string;
  agentName: string;
}
/**
 * Tell whichever agent is active something for the rest of the conversation.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitSystemMessageForceParams".
 */
export interface CommitSystemMessageForceParams {
  content: string;
  clientId: string;
}
/**
 * Tell the agent something for the rest of the conversation, after its prompt.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitSystemMessageParams".
 */
export interface CommitSystemMessageParams {
  content: string;
  clientId: string;
  agentName: string;
}
/**
 * Give a tool call its output, whichever agent is active.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitToolOutputForceParams".
 */
export interface CommitToolOutputForceParams {
  toolId: string;
  content: string;
  clientId: string;
}
/**
 * Give a tool call its output, in place of the function's return value.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitToolOutputParams".
 */
export interface CommitToolOutputParams {
  toolId: string;
  content: string;
  clientId: string;
  agentName: string;
}
/**
 * Put the wish for tool calls into the history, whichever agent is active.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitToolRequestForceParams".
 */
export interface CommitToolRequestForceParams {
  request:
    | ToolCall
    | {
        [k: string]: JsonValue;
      }
    | (
        | ToolCall
        | {
            [k: string]: JsonValue;
          }
      )[];
  clientId: string;
}
/**
 * Put the wish for tool calls into the history as if the model had asked; nothing runs.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitToolRequestParams".
 */
export interface CommitToolRequestParams {
  request:
    | ToolCall
    | {
        [k: string]: JsonValue;
      }
    | (
        | ToolCall
        | {
            [k: string]: JsonValue;
          }
      )[];
  clientId: string;
  agentName: string;
}
/**
 * Put a user's message into the history, whichever agent is active.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitUserMessageForceParams".
 */
export interface CommitUserMessageForceParams {
  content: string;
  mode: "user" | "tool";
  clientId: string;
  payload?: unknown;
}
/**
 * Put a user's message into the history; no agent answers it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CommitUserMessageParams".
 */
export interface CommitUserMessageParams {
  content: string;
  mode: "user" | "tool";
  clientId: string;
  agentName: string;
  payload?: unknown;
}
/**
 * Send one message and return the answer; the conversation goes on with the next call.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CompleteParams".
 */
export interface CompleteParams {
  content: string;
  clientId: string;
  swarmName: string;
  payload?: unknown;
}
/**
 * Functions that hear of a completion.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CompletionCallbacks".
 */
export interface CompletionCallbacks {
  /**
   * `(request, result)`, after each answer.
   */
  onComplete?: CallbackRef | null;
}
/**
 * How to reach a model that agents speak through.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CompletionDeclaration".
 */
export interface CompletionDeclaration {
  kind: "completion";
  /**
   * What agents call it.
   */
  completionName: string;
  /**
   * A model reference such as `openai/gpt-5`, `cohere/command-a-03-2025` or `offline`.
   */
  model?: string | null;
  /**
   * A function that answers instead of a model; takes a `CompletionRequest`.
   */
  getCompletion?: CallbackRef | null;
  /**
   * Where the provider's API lives, such as `http://localhost:8001/v1`; empty means none.
   */
  baseUrl?: string | null;
  /**
   * The environment variable that holds the key, or several, whose keys take turns; each provider
   * has a default.
   */
  apiKeyEnv?: string | string[] | null;
  /**
   * How freely the model chooses its words; the provider's default when absent.
   */
  temperature?: number | null;
  /**
   * The share of probability that the model chooses from; the provider's default when absent.
   */
  topP?: number | null;
  /**
   * The longest answer, in tokens.
   */
  maxTokens?: number | null;
  /**
   * Makes sampling repeatable, where the provider can.
   */
  seed?: number | null;
  /**
   * Seconds for one call with all its retries; with fallbacks, each model gets an equal share.
   */
  timeout?: number;
  /**
   * Further attempts after a failure that may pass: no connection, 429, 5xx.
   */
  maxRetries?: number;
  /**
   * Model references that are asked, in order, when the model cannot answer; one of another
   * provider at that one's own address and with its own key.
   */
  fallback?: string | string[];
  /**
   * When to leave a failing model alone and go to the fallback at once; when absent, after five
   * failed attempts in a row, or a whole call with its retries if that is more, for 30 seconds.
   */
  breaker?: BreakerSpec | null;
  /**
   * Further fields of the provider's request, sent as they are.
   */
  extraBody?: {
    [k: string]: JsonValue;
  };
  /**
   * True: for outlines only; false: for agents only; absent: for both.
   */
  jsonMode?: boolean | null;
  /**
   * Lines such as `/no_think` that stand at the end of the system prompt.
   */
  flags?: string | string[];
  /**
   * Calls at the same time; further ones wait in order.
   */
  maxConcurrent?: number | null;
  /**
   * What may be spent with each key in one process; its `session_` limits count.
   */
  keyBudget?: BudgetSpec | null;
  /**
   * Functions that are told of answers.
   */
  callbacks?: CompletionCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * Functions that hear of a compute; one that raises is written to the log.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ComputeCallbacks".
 */
export interface ComputeCallbacks {
  /**
   * `(client_id, compute_name)`, when a client's session asks for it for the first time.
   */
  onInit?: CallbackRef | null;
  /**
   * `(client_id, compute_name)`, when that session closes.
   */
  onDispose?: CallbackRef | null;
  /**
   * `(value, client_id, compute_name)`, after each computation.
   */
  onCompute?: CallbackRef | null;
  /**
   * `(state_name, client_id, compute_name)`, when a change of that state makes it be computed
   * anew.
   */
  onCalculate?: CallbackRef | null;
  /**
   * `(client_id, compute_name)`, when `update` discards the value.
   */
  onUpdate?: CallbackRef | null;
}
/**
 * A value that is computed when it is asked for, and remembered for a while.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ComputeDeclaration".
 */
export interface ComputeDeclaration {
  kind: "compute";
  /**
   * What programs call it.
   */
  computeName: string;
  get: CallbackRef1;
  /**
   * States; a write to one of them makes the value be computed anew.
   */
  dependsOn?: string[];
  /**
   * Seconds that a value is remembered.
   */
  ttl?: number;
  /**
   * One value for all clients of all swarms; it may depend on shared states only.
   */
  shared?: boolean;
  /**
   * Functions `(value, client_id, compute_name)`, in order, that may replace the value.
   */
  middlewares?: CallbackRef[];
  /**
   * Functions that are told of computations.
   */
  callbacks?: ComputeCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * A function of the program: the core calls it by `callback/invoke` or `callback/notify`.
 */
export interface CallbackRef1 {
  /**
   * Its id: the kind of the declaration, its name and the field, such as `tool:find.call`.
   */
  $callback: string;
}
/**
 * Return the value, computed now if it is too old or a state it depends on changed.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ComputeGetParams".
 */
export interface ComputeGetParams {
  computeName: string;
  clientId: string;
}
/**
 * Discard the value, so that the next `get` computes it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ComputeUpdateParams".
 */
export interface ComputeUpdateParams {
  computeName: string;
  clientId: string;
}
/**
 * Who answers.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "CoreInfo".
 */
export interface CoreInfo {
  name: string;
  version: string;
}
/**
 * Declarations, added together or not at all.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "DeclareParams".
 */
export interface DeclareParams {
  declarations: (
    | CompletionDeclaration
    | WikiDeclaration
    | AdvisorDeclaration
    | OutlineDeclaration
    | McpDeclaration
    | StateDeclaration
    | EmbeddingDeclaration
    | StorageDeclaration
    | ComputeDeclaration
    | PipelineDeclaration
    | ToolDeclaration
    | AgentDeclaration
    | PolicyDeclaration
    | SwarmDeclaration
    | AgentNavigationDeclaration
    | TriageNavigationDeclaration
    | CommitActionDeclaration
    | FetchInfoDeclaration
  )[];
}
/**
 * A model that was fine-tuned on your questions and answers, or documents, asked by a tool.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "WikiDeclaration".
 */
export interface WikiDeclaration {
  kind: "wiki";
  /**
   * What agents and tools call it.
   */
  wikiName: string;
  /**
   * What the wiki knows; the model that decides whether to ask it reads this.
   */
  docDescription?: string | null;
  /**
   * A declared completion that answers.
   */
  completion?: string | null;
  /**
   * A model reference that answers, such as `registry/pharma@live` or `gguf/shop.gguf`.
   */
  model?: string | null;
  /**
   * A function that answers: `(message: str) -> str`, plain or async.
   */
  getChat?: CallbackRef | null;
  /**
   * Files, folders and globs (Markdown, text, HTML, PDF) that answer with their best passages, or
   * that `completion` or `model` answers from.
   */
  documents?: string | string[];
  /**
   * The folder that `documents` are relative to and do not leave; the working folder when absent,
   * in YAML the document's own folder or one below it.
   */
  documentsRoot?: string | null;
  /**
   * A declared embedding, `wordllama`, `hash` or `python:module:function`; wordllama where it is
   * installed, otherwise hashed parts of words.
   */
  embedding?: string | null;
  /**
   * Where vectors are searched; an embedded Chroma where it is installed, otherwise exactly.
   */
  vectors?: ("chroma" | "exact") | null;
  /**
   * How many passages an answer is made from.
   */
  passages?: number;
  /**
   * A system line for the model; a fine-tuned wiki usually needs none.
   */
  system?: string | null;
  /**
   * A model reference that answers when the wiki fails or is not sure enough.
   */
  fallback?: string | null;
  /**
   * Below this confidence the fallback is asked.
   */
  minConfidence?: number | null;
  /**
   * Hard questions go to the fallback at once; the model answers the others.
   */
  route?: RouteSpec | null;
  /**
   * Some clients are answered by the version `@candidate` of a `model` that is
   * `registry/NAME@live`.
   */
  candidate?: CandidateSpec | null;
  /**
   * Only processes of these groups (`WIKISWARM_GROUPS`) may ask the wiki's own model; elsewhere
   * the fallback answers.
   */
  groups?: string[];
  /**
   * Answers that people rated 4 or 5, or corrected, are shown to the model with questions like
   * theirs.
   */
  autoLearn?: boolean;
  /**
   * How many such answers a question is shown with.
   */
  maxExamples?: number;
  /**
   * How long they may be together, in tokens.
   */
  maxExampleTokens?: number;
  /**
   * Questions that this wiki is right for.
   */
  examples?: string[];
  /**
   * The longest answer, in tokens.
   */
  maxTokens?: number | null;
  /**
   * Seconds for one question, the fallback included.
   */
  timeout?: number;
  /**
   * How `wikiswarm watch` judges it, and what it does then; the defaults when absent.
   */
  watch?: WatchSpec | null;
  /**
   * Functions that are told of questions.
   */
  callbacks?: WikiCallbacks | null;
  /**
   * How the next version of its model is made, and when; see `wikiswarm loop`.
   */
  loop?: LoopSpec | null;
}
/**
 * Which questions go to a wiki's fallback at once, because they look hard.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RouteSpec".
 */
export interface RouteSpec {
  /**
   * How hard a question may look for the wiki's own model: 0 is short and plain, 1 is long or has
   * code, maths, several parts or a need for tools.
   */
  maxComplexity?: number;
  /**
   * Words and phrases that make any question a hard one.
   */
  hardWords?: string[];
}
/**
 * How a wiki in service is watched, and what is done when its answers get worse.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "WatchSpec".
 */
export interface WatchSpec {
  /**
   * `report` tells it, `rollback` puts the previous version of the registry back into service,
   * `loop` starts the training of the next one.
   */
  onAlarm?: "report" | "rollback" | "loop";
  /**
   * Which alarms `rollback` and `loop` answer to; the others are told: `ratings`, `length`,
   * `refusals`, `confidence`, `questions`.
   *
   * @minItems 1
   */
  actOn?: [
    "ratings" | "length" | "refusals" | "confidence" | "questions",
    ...("ratings" | "length" | "refusals" | "confidence" | "questions")[]
  ];
  /**
   * How many ratings or answers are learnt from before the first comparison, and how many
   * questions are compared together.
   */
  window?: number;
  /**
   * The share of wikis without any change that may raise an alarm within 5,000 ratings, and once
   * more for the other signals together within 5,000 answers.
   */
  falseAlarms?: number;
  /**
   * The mean rating that there should be, taken as exact; without it ratings are compared with
   * those before, also with those of the version before.
   */
  baseline?: number | null;
  /**
   * How many ratings of one client count on one day, so that nobody speaks for all.
   */
  perClient?: number;
  /**
   * Watch also what needs no ratings: length, refusals, confidence and questions.
   */
  signals?: boolean;
  /**
   * What compares questions: `wordllama`, `hash` or the reference of an embedding model;
   * wordllama where it is installed, otherwise hashed words.
   */
  embedding?: string | null;
}
/**
 * Functions that hear of a wiki; one that raises is written to the log.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "WikiCallbacks".
 */
export interface WikiCallbacks {
  /**
   * `(message, wiki_name)`, before the wiki is asked, by an agent or by `ask`.
   */
  onChat?: CallbackRef | null;
}
/**
 * How the next version of a wiki's model is made, and when.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LoopSpec".
 */
export interface LoopSpec {
  /**
   * What training starts from: `scratch`, a model folder relative to the document, or, for a
   * hosted back end, the provider's model.
   */
  base?: string;
  /**
   * Who trains.
   */
  backend?: "local" | "unsloth" | "openai" | "cohere";
  /**
   * What is trained of a base folder; a model made from nothing trains all its weights.
   */
  technique?: "lora" | "qlora" | "full";
  /**
   * Further settings of the training, by the names of `TrainConfig` or `HostedConfig`.
   */
  train?: {
    [k: string]: JsonValue;
  };
  /**
   * The licence of the base; needed for a folder, which does not say.
   */
  licence?: string | null;
  /**
   * The wiki's own questions file, relative to the document.
   */
  questions?: string | null;
  /**
   * Learn the answers that people corrected.
   */
  corrections?: boolean;
  /**
   * Learn the rows that people or rules accepted, see `wikiswarm dataset candidates`.
   */
  candidates?: boolean;
  /**
   * Learn the wiki's own answers that were rated so or better; none when absent.
   */
  minimumRating?: number | null;
  /**
   * The steps that captured rows pass: a pipeline file, or a list of steps.
   */
  curation?: string | JsonValue[] | null;
  /**
   * Share of the captured rows that is kept out of training, to measure it where the gate has no
   * `golden`.
   */
  heldOut?: number;
  /**
   * What the new version has to show; see docs/loop.md.
   */
  gate?: LoopGateSpec | null;
  /**
   * How the weights are stored.
   */
  quantization?: string;
  /**
   * When it is due: `7 days`, `12 hours`, or five fields as in cron, in UTC: `0 3 * * 1`.
   */
  every?: string | null;
  /**
   * Fewer rows that the last round did not have are too few for a training.
   */
  minimumNewRows?: number;
  /**
   * What happens with a better version: it serves, somebody is asked, or it gets the alias
   * `candidate`.
   */
  promote?: "automatically" | "ask" | "candidate";
  /**
   * Keep the weights of a refused version in the run folder; the reports stay in any case.
   */
  keepRefused?: boolean;
  /**
   * The most that a hosted training may cost, in US dollars; only a host of your own
   * (`train: {base_url: ...}`), whose prices nobody knows, does without.
   */
  maxCost?: number | null;
  /**
   * Where an answer that does not end is cut in the test.
   */
  maxTokens?: number;
}
/**
 * What a new version has to show before it may serve.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LoopGateSpec".
 */
export interface LoopGateSpec {
  /**
   * The questions of the test, one or several of: a golden set's name, a file beside the document
   * (`.jsonl`, or `.yaml`, whose held-out phrasings are asked). Without it, the held-out phrasings
   * of `questions` and the held-out rows of the dataset.
   */
  golden?: string | string[] | null;
  /**
   * The figure that has to be better: exact, normalised, token_f1, rouge_l, judge ...
   */
  metric?: string;
  /**
   * How much worse other figures may be.
   */
  margin?: number;
  /**
   * Whether not being worse by the margin is too little.
   */
  mustImprove?: boolean;
  /**
   * Fewer questions decide nothing.
   */
  minimumRows?: number;
  /**
   * 0.95 lets an equal model pass once in twenty times.
   */
  confidence?: number;
  /**
   * A model reference that scores the answers, for the figure `judge`.
   */
  judge?: string | null;
}
/**
 * A JSON document that a model fills in: its schema, what to ask, and what makes it valid.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "OutlineDeclaration".
 */
export interface OutlineDeclaration {
  kind: "outline";
  /**
   * What `json` calls it.
   */
  outlineName: string;
  /**
   * The name of a declared completion that does not have `json_mode: false`.
   */
  completion: string;
  /**
   * JSON Schema of type object, or `{"type": "json_schema", "json_schema": {...}}`; in Python
   * also a pydantic model.
   */
  format: {
    [k: string]: JsonValue;
  };
  /**
   * The system prompt, or a function `(outline_name) -> str`.
   */
  prompt?: string | CallbackRef;
  /**
   * Further system lines, or a function `(outline_name) -> str | list[str]`.
   */
  system?: string | string[] | CallbackRef;
  /**
   * A function `(context)`, an `OutlineContext`, that returns the messages before each attempt;
   * without it each parameter of `json` is a message of the user.
   */
  getOutlineHistory?: CallbackRef | null;
  /**
   * Functions `(data)` that return None, or the reason why a document is not valid; what they
   * raise is a reason too.
   */
  validations?: CallbackRef[];
  /**
   * How often the model is asked; each time it reads what was wrong before.
   */
  maxAttempts?: number;
  /**
   * Seconds for all attempts together.
   */
  timeout?: number;
  /**
   * Functions that are told of attempts and documents.
   */
  callbacks?: OutlineCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * Functions that hear of an outline.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "OutlineCallbacks".
 */
export interface OutlineCallbacks {
  /**
   * `(context)`, an `OutlineContext`, before each question to the model.
   */
  onAttempt?: CallbackRef | null;
  /**
   * `(document, context)`, when an answer held a JSON object, before it is checked.
   */
  onDocument?: CallbackRef | null;
  /**
   * `(result)`, when a document passed every check.
   */
  onValidDocument?: CallbackRef | null;
  /**
   * `(result)`, when the attempts are used up.
   */
  onInvalidDocument?: CallbackRef | null;
}
/**
 * A server of tools that speaks MCP, the Model Context Protocol, or two functions in place.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "McpDeclaration".
 */
export interface McpDeclaration {
  kind: "mcp";
  /**
   * What agents call it.
   */
  mcpName: string;
  /**
   * Starts the server as a child process that speaks over standard input and output.
   */
  command?: [string, ...string[]] | null;
  /**
   * Environment variables that the child process gets, beside PATH, HOME and the like.
   */
  env?: string[];
  /**
   * The child's working folder.
   */
  cwd?: string | null;
  /**
   * Where a server is reached by streamable HTTP, such as `https://example.com/mcp`.
   */
  url?: string | null;
  /**
   * The environment variable whose value is sent as `Authorization: Bearer`.
   */
  apiKeyEnv?: string | null;
  /**
   * Further HTTP headers: the name of each, and the environment variable with its value.
   */
  headers?: {
    [k: string]: string;
  };
  /**
   * A function `(client_id) -> list` of `name`, `description` and `inputSchema` mappings.
   */
  listTools?: CallbackRef | null;
  /**
   * A function `(tool_name, context) -> str` that goes with `list_tools`.
   */
  callTool?: CallbackRef | null;
  /**
   * The server's tools that may be used; all of them when absent.
   */
  tools?: string[] | null;
  /**
   * Put before the name of each tool, where two servers have tools of one name.
   */
  prefix?: string;
  /**
   * Seconds for one call, and for reaching the server.
   */
  timeout?: number;
  /**
   * Functions that are told of lists and calls.
   */
  callbacks?: McpCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * Functions that hear of an MCP server; one that raises is written to the log.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "McpCallbacks".
 */
export interface McpCallbacks {
  /**
   * `(mcp_name)`, when a host uses it for the first time.
   */
  onInit?: CallbackRef | null;
  /**
   * `(mcp_name)`, when that host closes.
   */
  onDispose?: CallbackRef | null;
  /**
   * `(client_id, mcp_name)`, before the list of tools is asked for; a server has one list for
   * all, so `client_id` is None there.
   */
  onFetch?: CallbackRef | null;
  /**
   * `(tool_names, client_id, mcp_name)`, when an agent is given its tools for a model call.
   */
  onList?: CallbackRef | null;
  /**
   * `(tool_name, context, mcp_name)`, before a tool is called.
   */
  onCall?: CallbackRef | null;
  /**
   * `(client_id, mcp_name)`, when `MCP.update` lets the list be asked for again; `client_id` is
   * None where that is for all.
   */
  onUpdate?: CallbackRef | null;
}
/**
 * A value that belongs to a client in a swarm, or to everybody.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StateDeclaration".
 */
export interface StateDeclaration {
  kind: "state";
  /**
   * What agents call it.
   */
  stateName: string;
  /**
   * The value before the first write, and after `clear`.
   */
  default?: unknown;
  /**
   * A function `(client_id, state_name)` that makes the first value instead.
   */
  getDefault?: CallbackRef | null;
  /**
   * One value for all clients of all swarms.
   */
  shared?: boolean;
  /**
   * Kept in the host's database; otherwise as long as the host is open.
   */
  persist?: boolean;
  /**
   * A function `(client_id, state_name)` that reads the value from a store of your own, in place
   * of the database; None where it holds nothing.
   */
  getState?: CallbackRef | null;
  /**
   * A function `(client_id, state_name, value)` that keeps a value there; None clears it.
   */
  setState?: CallbackRef | null;
  /**
   * Functions `(value, client_id, state_name)`, in order, that may replace a new value; one that
   * raises refuses it.
   */
  middlewares?: CallbackRef[];
  /**
   * Functions that are told of reads and writes.
   */
  callbacks?: StateCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * Functions that hear of a state; one that raises is written to the log.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StateCallbacks".
 */
export interface StateCallbacks {
  /**
   * `(client_id, state_name)`, when a client's session uses it for the first time.
   */
  onInit?: CallbackRef | null;
  /**
   * `(client_id, state_name)`, when that session closes.
   */
  onDispose?: CallbackRef | null;
  /**
   * `(value, client_id, state_name)`, after `on_init`, with the value as it was kept.
   */
  onLoad?: CallbackRef | null;
  /**
   * `(value, client_id, state_name)`, when a value is returned.
   */
  onRead?: CallbackRef | null;
  /**
   * `(value, client_id, state_name)`, when a new value was kept.
   */
  onWrite?: CallbackRef | null;
}
/**
 * How texts become vectors, and how two vectors are compared.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "EmbeddingDeclaration".
 */
export interface EmbeddingDeclaration {
  kind: "embedding";
  /**
   * What storages call it.
   */
  embeddingName: string;
  /**
   * `hash` counts words and parts of words, `wordllama` knows English; else a model reference
   * such as `openai/text-embedding-3-small`, `ollama/nomic-embed-text`, `cohere/embed-v4.0` or
   * `python:module:function`.
   */
  model?: string | null;
  /**
   * A function `(texts: list[str]) -> list[list[float]]`, one vector for each text.
   */
  create?: CallbackRef | null;
  /**
   * Where the provider's API is reached, if not at its usual place.
   */
  baseUrl?: string | null;
  /**
   * The environment variable with the key, if not the provider's usual one.
   */
  apiKeyEnv?: string | string[] | null;
  /**
   * Seconds for one batch with all its retries.
   */
  timeout?: number;
  /**
   * Further attempts after a failure that may pass: no connection, 429, 5xx.
   */
  maxRetries?: number;
  /**
   * Further fields of the provider's request, such as `dimensions`.
   */
  extraBody?: {
    [k: string]: JsonValue;
  };
  /**
   * How two vectors are compared.
   */
  similarity?: "cosine" | "dot";
  /**
   * A function `(first, second) -> float` that compares instead; slow with many items.
   */
  getSimilarity?: CallbackRef | null;
  /**
   * The most texts in one call.
   */
  batchSize?: number;
  /**
   * Keep the vectors of items in the host's database, so that none is computed twice.
   */
  persist?: boolean;
  /**
   * A function `(hashes: list[str], embedding_name)` that returns the vectors it knows by the
   * hash of their text, in place of the database.
   */
  readEmbeddingCache?: CallbackRef | null;
  /**
   * A function `(vectors, embedding_name)` that keeps vectors by the hash of their text.
   */
  writeEmbeddingCache?: CallbackRef | null;
  /**
   * Change it when `create` or the model changes, so that vectors kept earlier are not used.
   */
  version?: string;
  /**
   * Functions that are told of new vectors and of searches.
   */
  callbacks?: EmbeddingCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * Functions that hear of an embedding; one that raises is written to the log.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "EmbeddingCallbacks".
 */
export interface EmbeddingCallbacks {
  /**
   * `(texts, vectors, embedding_name)`, when vectors were computed, a batch at a time.
   */
  onCreate?: CallbackRef | null;
  /**
   * `(search, scores, embedding_name)`, after a search; the ids that it found with their
   * similarity.
   */
  onCompare?: CallbackRef | null;
}
/**
 * Items that are found again by their meaning; each has an `id`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StorageDeclaration".
 */
export interface StorageDeclaration {
  kind: "storage";
  /**
   * What agents call it.
   */
  storageName: string;
  /**
   * A declared embedding, or a built-in one: `hash`, `wordllama`.
   */
  embedding?: string;
  /**
   * A function `(item)` that returns the text, or a mapping of texts, that searches match.
   */
  index?: CallbackRef | null;
  /**
   * The same items for all clients of all swarms.
   */
  shared?: boolean;
  /**
   * Kept in the host's database; otherwise as long as the host is open.
   */
  persist?: boolean;
  /**
   * The items before the first change.
   */
  default?: {
    [k: string]: JsonValue;
  }[];
  /**
   * A function `(client_id, storage_name)` that makes the first items instead.
   */
  getDefault?: CallbackRef | null;
  /**
   * A function `(client_id, storage_name)` that reads all items from a store of your own, in
   * place of the database; None where it holds nothing.
   */
  getData?: CallbackRef | null;
  /**
   * A function `(client_id, storage_name, items)` that keeps all items there.
   */
  setData?: CallbackRef | null;
  /**
   * Where vectors are searched: all of them, in memory, or a Chroma collection in the home.
   */
  vectors?: "exact" | "chroma";
  /**
   * The least similarity of what a search finds, where the call names none.
   */
  score?: number;
  /**
   * Functions that are told of searches and changes.
   */
  callbacks?: StorageCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * Functions that hear of a storage; one that raises is written to the log.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StorageCallbacks".
 */
export interface StorageCallbacks {
  /**
   * `(client_id, storage_name)`, when a client's session uses it for the first time.
   */
  onInit?: CallbackRef | null;
  /**
   * `(client_id, storage_name)`, when that session closes.
   */
  onDispose?: CallbackRef | null;
  /**
   * `(items, client_id, storage_name)`, when items were added, changed or removed; all of them
   * as they are now.
   */
  onUpdate?: CallbackRef | null;
  /**
   * `(search, items, client_id, storage_name)`, when items were found.
   */
  onSearch?: CallbackRef | null;
}
/**
 * A procedure of the program that runs while a certain agent is the active one.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PipelineDeclaration".
 */
export interface PipelineDeclaration {
  kind: "pipeline";
  /**
   * What `start_pipeline` calls it.
   */
  pipelineName: string;
  execute: CallbackRef2;
  /**
   * Functions that are told of it.
   */
  callbacks?: PipelineCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * A function of the program: the core calls it by `callback/invoke` or `callback/notify`.
 */
export interface CallbackRef2 {
  /**
   * Its id: the kind of the declaration, its name and the field, such as `tool:find.call`.
   */
  $callback: string;
}
/**
 * Functions that hear of a pipeline.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PipelineCallbacks".
 */
export interface PipelineCallbacks {
  /**
   * `(client_id, pipeline_name, agent_name, payload)`, before it runs.
   */
  onStart?: CallbackRef | null;
  /**
   * `(client_id, pipeline_name, agent_name, payload, is_error)`, after it ran.
   */
  onEnd?: CallbackRef | null;
  /**
   * `(client_id, pipeline_name, agent_name, payload, error)`, when it raised.
   */
  onError?: CallbackRef | null;
}
/**
 * Something an agent can call: a function, a wiki, or a hand-off to another agent.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ToolDeclaration".
 */
export interface ToolDeclaration {
  kind: "tool";
  /**
   * What agents call it; models see it too, unless `function` has another name.
   */
  toolName: string;
  /**
   * What the model reads to decide whether to call.
   */
  description?: string;
  /**
   * JSON Schema of the arguments; taken from the signature of `call` when absent.
   */
  parameters?: {
    [k: string]: JsonValue;
  } | null;
  /**
   * The function. Its return value is the tool's output, unless it commits one itself.
   */
  call?: CallbackRef | null;
  /**
   * Makes the tool ask this wiki.
   */
  wiki?: string | null;
  /**
   * Makes the tool hand the conversation to this agent; a `call` beside it does so itself.
   */
  navigateTo?: string | null;
  /**
   * Messages that this tool is right for; the `offline` completion matches against them.
   */
  examples?: string[];
  /**
   * Seconds for one call; then the model is told that the tool gave no output.
   */
  timeout?: number;
  /**
   * It changes nothing, as tools of wikis never do; other calls are on disk before they run.
   */
  readOnly?: boolean;
  /**
   * As the OpenAI API has it; there is no other type.
   */
  type?: "function";
  /**
   * The OpenAI shape of name, description and parameters; flattened into this spec.
   */
  function?: ToolFunction | null;
  /**
   * A function `(client_id, agent_name)` that returns that shape before each model call.
   */
  getFunction?: CallbackRef | null;
  /**
   * A function `(client_id, agent_name, tool_name) -> bool`; false hides the tool.
   */
  isAvailable?: CallbackRef | null;
  /**
   * A function `(arguments, context)` that returns true, or false or a reason to refuse them.
   */
  validateParams?: CallbackRef | null;
  /**
   * A person has to agree to each call, or to those for which `(arguments, context)` is true.
   */
  needsApproval?: boolean | CallbackRef;
  /**
   * Seconds that a turn waits for the person; later the call runs in a turn of its own.
   */
  approvalWait?: number;
  /**
   * Functions that are told of calls.
   */
  callbacks?: ToolCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docNote?: string | null;
}
/**
 * Functions that hear of a tool; each takes the `ToolContext` of the call.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ToolCallbacks".
 */
export interface ToolCallbacks {
  /**
   * `(context)`, before the function runs.
   */
  onBeforeCall?: CallbackRef | null;
  /**
   * `(context)`, after the function returned.
   */
  onAfterCall?: CallbackRef | null;
  /**
   * `(context)`, before the arguments are validated.
   */
  onValidate?: CallbackRef | null;
  /**
   * `(context, error)`, when the function raised.
   */
  onCallError?: CallbackRef | null;
}
/**
 * What may be said in a swarm, and who may not talk to it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PolicyDeclaration".
 */
export interface PolicyDeclaration {
  kind: "policy";
  /**
   * What swarms call it.
   */
  policyName: string;
  /**
   * The answer in place of what is refused.
   */
  banMessage?: string;
  /**
   * A function `(client_id, policy_name, swarm_name)` that returns that answer instead.
   */
  getBanMessage?: CallbackRef | null;
  /**
   * Ban the client when something is refused, be it a message or an answer.
   */
  autoBan?: boolean;
  /**
   * Characters of a client's message; a longer one is refused.
   */
  maxLength?: number | null;
  /**
   * Words and phrases, found whole and in upper or lower case, and regular expressions between
   * slashes, such as `/pass(word|port)/`; a message or an answer with one of them is refused.
   */
  deny?: string[];
  /**
   * A function `(text, client_id, swarm_name)` on what the client says: None or true lets it
   * pass, false refuses it, and a text refuses it with that text as the answer.
   */
  validateInput?: CallbackRef | null;
  /**
   * The same on an answer of the swarm.
   */
  validateOutput?: CallbackRef | null;
  /**
   * What is replaced in messages and answers, as by `[email]`: any of `card`, `email`, `iban` and
   * `secret` (API keys, tokens, private keys, the values of keys in the environment).
   */
  redact?: ("card" | "email" | "iban" | "secret")[];
  /**
   * A function `(text, client_id, swarm_name)` that returns what goes on in place of the
   * message, or None for the message as it is; it comes after the checks.
   */
  rewriteInput?: CallbackRef | null;
  /**
   * The same on an answer of the swarm.
   */
  rewriteOutput?: CallbackRef | null;
  /**
   * Bans are kept in the host's database; otherwise as long as the host is open.
   */
  persist?: boolean;
  /**
   * A function `(policy_name, swarm_name)` that returns the banned client ids, for a list of
   * your own; it is asked at each message.
   */
  getBannedClients?: CallbackRef | null;
  /**
   * A function `(client_ids, policy_name, swarm_name)` that keeps a changed list.
   */
  setBannedClients?: CallbackRef | null;
  /**
   * Functions that are told of checks and bans.
   */
  callbacks?: PolicyCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * Functions that hear of a policy; one that raises is written to the log.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PolicyCallbacks".
 */
export interface PolicyCallbacks {
  /**
   * `(policy_name)`, when a host first makes a swarm ready that lists the policy.
   */
  onInit?: CallbackRef | null;
  /**
   * `(text, client_id, swarm_name, policy_name)`, before what a client says is checked.
   */
  onValidateInput?: CallbackRef | null;
  /**
   * `(text, client_id, swarm_name, policy_name)`, before an answer is checked.
   */
  onValidateOutput?: CallbackRef | null;
  /**
   * `(client_id, swarm_name, policy_name)`, after a client was banned.
   */
  onBanClient?: CallbackRef | null;
  /**
   * `(client_id, swarm_name, policy_name)`, after a client is no longer banned.
   */
  onUnbanClient?: CallbackRef | null;
}
/**
 * Agents that share one conversation.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SwarmDeclaration".
 */
export interface SwarmDeclaration {
  kind: "swarm";
  /**
   * What sessions call it.
   */
  swarmName: string;
  /**
   * The agents; hand-offs stay among them.
   */
  agentList: string[];
  /**
   * The agent that a new conversation starts with.
   */
  defaultAgent: string;
  /**
   * Seconds from a user's message to the answer or a typed error.
   */
  turnTimeout?: number;
  /**
   * Hand-offs in one turn.
   */
  maxHandoffs?: number;
  /**
   * How often one turn may come back to the same agent; 0 lets each agent have it once.
   */
  maxRevisits?: number;
  /**
   * Policies that check what comes in and what goes out, in order.
   */
  policies?: string[];
  /**
   * What turns and conversations may spend.
   */
  budget?: BudgetSpec | null;
  /**
   * A function `(client_id, swarm_name)` that returns the active agent when a session opens.
   */
  getActiveAgent?: CallbackRef | null;
  /**
   * A function `(client_id, agent_name, swarm_name)` that is told of each change.
   */
  setActiveAgent?: CallbackRef | null;
  /**
   * A function `(client_id, swarm_name)` that returns the agents to go back to.
   */
  getNavigationStack?: CallbackRef | null;
  /**
   * A function `(client_id, agent_names, swarm_name)` that is told of each change.
   */
  setNavigationStack?: CallbackRef | null;
  /**
   * Functions that are told what the swarm does.
   */
  callbacks?: SwarmCallbacks | null;
  /**
   * What it is for, in the generated documentation.
   */
  docDescription?: string | null;
}
/**
 * Functions that hear of a swarm; each takes `client_id` and `swarm_name` first.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SwarmCallbacks".
 */
export interface SwarmCallbacks {
  /**
   * `(client_id, swarm_name)`, when a connection is made.
   */
  onConnect?: CallbackRef | null;
  /**
   * `(client_id, swarm_name)`, when a session opens.
   */
  onInit?: CallbackRef | null;
  /**
   * `(client_id, swarm_name)`, when a session closes.
   */
  onDispose?: CallbackRef | null;
  /**
   * `(client_id, swarm_name, content, mode)`, before a message is answered.
   */
  onExecute?: CallbackRef | null;
  /**
   * `(client_id, swarm_name, content)`, before a model call that writes nothing down.
   */
  onRun?: CallbackRef | null;
  /**
   * `(client_id, swarm_name, content)`, when a text goes out to the client.
   */
  onEmit?: CallbackRef | null;
  /**
   * `(client_id, swarm_name, agent_name)`, when another agent takes over.
   */
  onAgentChanged?: CallbackRef | null;
}
/**
 * Declare a tool without parameters that hands the client back to the swarm's default agent.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "TriageNavigationDeclaration".
 */
export interface TriageNavigationDeclaration {
  kind: "triageNavigation";
  toolName: string;
  description: string;
  docNote?: string | null;
  isAvailable?: CallbackRef | null;
  beforeNavigate?: CallbackRef | null;
  lastMessage?: CallbackRef | null;
  executeMessage?: string | CallbackRef | null;
  flushMessage?: string | CallbackRef | null;
  toolOutputAccept?: string | CallbackRef | null;
  toolOutputReject?: string | CallbackRef | null;
}
/**
 * Declare a tool that looks something up and changes nothing.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "FetchInfoDeclaration".
 */
export interface FetchInfoDeclaration {
  kind: "fetchInfo";
  toolName: string;
  function:
    | ToolFunction
    | {
        [k: string]: JsonValue;
      };
  fetchContent: CallbackRef;
  validateParams?: CallbackRef | null;
  emptyContent?: string | CallbackRef | null;
  fallback?: CallbackRef | null;
  isAvailable?: CallbackRef | null;
  docNote?: string | null;
}
/**
 * What was declared, or everything that is wrong; then nothing was.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "DeclareResult".
 */
export interface DeclareResult {
  /**
   * As `kind:name`, in order.
   */
  declared: string[];
  issues: Issue[];
}
/**
 * One thing that is wrong with a declaration.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Issue".
 */
export interface Issue {
  /**
   * Such as `tool`.
   */
  kind: string;
  /**
   * Of the declaration.
   */
  name: string;
  /**
   * Where, such as `tools.find_pharma_product.timeout`.
   */
  path: string;
  message: string;
  hint?: string | null;
}
/**
 * Return the documentation of everything that is declared; see `declarative.describe`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "DescribeParams".
 */
export interface DescribeParams {
  format?: "markdown" | "mermaid" | "schema";
}
/**
 * Close the live session of a client, whichever code of this process opened it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "DisposeConnectionParams".
 */
export interface DisposeConnectionParams {
  clientId: string;
  swarmName: string;
}
/**
 * Make a text the answer of the running turn, whichever agent is active; see `emit`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "EmitForceParams".
 */
export interface EmitForceParams {
  content: string;
  clientId: string;
}
/**
 * Make a text the answer of the running turn, in place of what the model would say.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "EmitParams".
 */
export interface EmitParams {
  content: string;
  clientId: string;
  agentName: string;
}
/**
 * Nothing.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Empty".
 */
export interface Empty {}
/**
 * `data` of every error.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ErrorData".
 */
export interface ErrorData {
  /**
   * The stable code of the error class; `errors` in the schema lists them all.
   */
  kind: string;
  /**
   * The same request may succeed later.
   */
  retryable?: boolean;
  hint?: string | null;
  /**
   * The attributes of the error, such as `clientId`.
   */
  details?: {
    [k: string]: JsonValue;
  };
  /**
   * Names the error on this connection. A program that throws the error on from a callback sends
   * it back, and the core raises what it raised before.
   */
  errorId?: string | null;
  /**
   * Where a function of the program threw.
   */
  stack?: string | null;
}
/**
 * Tell something to those that listen to a topic of the program's own.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "EventParams".
 */
export interface EventParams {
  clientId: string;
  topic: string;
  payload?: unknown;
}
/**
 * Let whichever agent is active answer a message; see `execute`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ExecuteForceParams".
 */
export interface ExecuteForceParams {
  content: string;
  clientId: string;
}
/**
 * Let the active agent answer a message that the program writes.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ExecuteParams".
 */
export interface ExecuteParams {
  content: string;
  clientId: string;
  agentName: string;
}
/**
 * Functions that the core will call as `kind:name.field`; those bound before stay bound.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "FunctionBindParams".
 */
export interface FunctionBindParams {
  functions: BoundFunction[];
}
/**
 * Which of them the file has; where one is missing, none is bound.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "FunctionBindResult".
 */
export interface FunctionBindResult {
  /**
   * The functions that the file exports.
   */
  exports: string[];
  /**
   * The names that are no functions of it.
   */
  missing: string[];
}
/**
 * Calls a function of the core that it passed to a callback as `{"$function": id}`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "FunctionCallParams".
 */
export interface FunctionCallParams {
  function: string;
  args?: JsonValue[];
}
/**
 * Return what an agent's model would be shown now: prompt, instructions, messages.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetAgentHistoryParams".
 */
export interface GetAgentHistoryParams {
  clientId: string;
  agentName: string;
}
/**
 * Return the name of the active agent.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetAgentNameParams".
 */
export interface GetAgentNameParams {
  clientId: string;
}
/**
 * Return every text of the agents, oldest first; see `get_raw_history`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetAssistantHistoryParams".
 */
export interface GetAssistantHistoryParams {
  clientId: string;
}
/**
 * Return whether a turn of the client is running.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetCheckBusyParams".
 */
export interface GetCheckBusyParams {
  clientId: string;
}
/**
 * Return the newest text of an agent; "" before the first one.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetLastAssistantMessageParams".
 */
export interface GetLastAssistantMessageParams {
  clientId: string;
}
/**
 * Return the newest system message that was committed; "" before the first one.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetLastSystemMessageParams".
 */
export interface GetLastSystemMessageParams {
  clientId: string;
}
/**
 * Return the newest tool output; "" before the first one.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetLastToolMessageParams".
 */
export interface GetLastToolMessageParams {
  clientId: string;
}
/**
 * Return the newest message that the user wrote; "" before the first one.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetLastUserMessageParams".
 */
export interface GetLastUserMessageParams {
  clientId: string;
}
/**
 * Return the agents that had the running turn, in order; none outside of a turn.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetNavigationRouteParams".
 */
export interface GetNavigationRouteParams {
  clientId: string;
}
/**
 * Return the ids of all clients of a swarm that are online, sorted.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetOnlineParams".
 */
export interface GetOnlineParams {
  swarmName: string;
}
/**
 * Return the payload of the message that the calling code's turn answers; None without one.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetPayloadParams".
 */
export interface GetPayloadParams {}
/**
 * Return every message of the conversation, oldest first, those of failed turns included.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetRawHistoryParams".
 */
export interface GetRawHistoryParams {
  clientId: string;
}
/**
 * Return where the client's conversation stands.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetSessionContextParams".
 */
export interface GetSessionContextParams {
  clientId: string;
}
/**
 * Return which verb opened the client's session.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetSessionModeParams".
 */
export interface GetSessionModeParams {
  clientId: string;
}
/**
 * Return the name under which an agent's model knows a declared tool now.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetToolNameForModelParams".
 */
export interface GetToolNameForModelParams {
  toolName: string;
  clientId: string;
  agentName: string;
}
/**
 * Return every message that the user wrote, oldest first; see `get_raw_history`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "GetUserHistoryParams".
 */
export interface GetUserHistoryParams {
  clientId: string;
}
/**
 * Return whether an agent had the running turn already.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "HasNavigationParams".
 */
export interface HasNavigationParams {
  clientId: string;
  agentName: string;
}
/**
 * Return whether a client has a live session in this process.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "HasSessionParams".
 */
export interface HasSessionParams {
  clientId: string;
}
/**
 * Agree to a tool call that waits in the inbox; see `Inbox.approve`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "InboxApproveParams".
 */
export interface InboxApproveParams {
  itemId: string;
  by?: string;
  reason?: string;
}
/**
 * One item of the inbox.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "InboxItem".
 */
export interface InboxItem {
  id: string;
  kind: "question" | "approval";
  status:
    "waiting" | "answered" | "approved" | "rejected" | "running" | "done" | "unknown" | "expired";
  sessionId: string;
  swarmName: string;
  clientId: string;
  agentName: string;
  runId: string;
  payload: Payload;
  reply: Reply | null;
  createdAt: number;
  decidedAt: number | null;
  decidedBy: string | null;
  settledAt: number | null;
}
/**
 * What a person needs to see.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Payload".
 */
export interface Payload {
  text: string;
  view: ShownMessage[];
  call: ToolCall | null;
  description: string;
}
/**
 * A message of the conversation, as a person sees it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ShownMessage".
 */
export interface ShownMessage {
  role: "system" | "developer" | "user" | "assistant" | "tool";
  content: string;
  agentName: string | null;
}
/**
 * What a person said, and what came of it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Reply".
 */
export interface Reply {
  text: string | null;
  reason: string;
  output: string | null;
  isError: boolean;
  wasBegun: boolean;
  takenBy: string | null;
}
/**
 * Return what waits for people, and what did, the newest first; see `Inbox.list`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "InboxListParams".
 */
export interface InboxListParams {
  kind?: ("question" | "approval") | null;
  status?:
    | (
        | "waiting"
        | "answered"
        | "approved"
        | "rejected"
        | "running"
        | "done"
        | "unknown"
        | "expired"
      )
    | null;
  swarmName?: string | null;
  clientId?: string | null;
  agentName?: string | null;
  limit?: number;
}
/**
 * Refuse a tool call that waits in the inbox; see `Inbox.reject`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "InboxRejectParams".
 */
export interface InboxRejectParams {
  itemId: string;
  by?: string;
  reason?: string;
}
/**
 * Answer a question in the inbox; see `Inbox.reply`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "InboxReplyParams".
 */
export interface InboxReplyParams {
  itemId: string;
  text: string;
  by?: string;
}
/**
 * Return an item of the inbox by its id, or the beginning of it; see `Inbox.show`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "InboxShowParams".
 */
export interface InboxShowParams {
  itemId: string;
}
/**
 * The first message of a program.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "InitializeParams".
 */
export interface InitializeParams {
  /**
   * The newest version that the program speaks.
   */
  protocol: number;
  /**
   * The oldest one; the same when absent.
   */
  minProtocol?: number | null;
  program?: ProgramInfo;
  capabilities?: Capabilities1;
  /**
   * For a WebSocket whose client cannot set headers.
   */
  token?: string | null;
  resume?: Resume | null;
}
/**
 * Who connects; it stands in logs.
 */
export interface ProgramInfo {
  name?: string;
  version?: string;
  /**
   * Such as `typescript`.
   */
  language?: string;
  /**
   * Such as `node 20.20.2`.
   */
  runtime?: string;
}
/**
 * What a side can do beyond version 1; unknown names are ignored.
 */
export interface Capabilities1 {
  /**
   * Wants `$/progress` for a `session/complete` with a `progressToken`.
   */
  streaming?: boolean;
  /**
   * Sends and reads `$/ack`, and comes back after a lost connection.
   */
  resume?: boolean;
  /**
   * Wants the core's warnings as `log`.
   */
  log?: boolean;
}
/**
 * A connection that was lost and is to go on.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Resume".
 */
export interface Resume {
  connectionId: string;
  /**
   * How many frames of the core arrived on it, over all its life.
   */
  received: number;
}
/**
 * The core's answer to `initialize`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "InitializeResult".
 */
export interface InitializeResult {
  /**
   * The version that both speak from now on.
   */
  protocol: number;
  core: CoreInfo;
  connectionId: string;
  capabilities: Capabilities;
  limits: Limits;
  /**
   * How many frames of the program arrived on this connection; 0 on a new one.
   */
  received: number;
}
/**
 * What the core holds the connection to.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Limits".
 */
export interface Limits {
  /**
   * A longer frame ends the connection.
   */
  maxMessageBytes: number;
  /**
   * Requests of the program that may be under way; one more is refused at once.
   */
  maxInFlight: number;
  /**
   * How long a lost connection is kept; 0 where it is not.
   */
  resumeWindowMs: number;
}
/**
 * Whether a client has a session open in any process, or is marked.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "IsOnlineParams".
 */
export interface IsOnlineParams {
  clientId: string;
  swarmName: string;
}
/**
 * Let a model fill in an outline.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "JsonParams".
 */
export interface JsonParams {
  outlineName: string;
  params?: JsonValue[];
}
/**
 * A line for the program's log.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LogParams".
 */
export interface LogParams {
  level: "debug" | "info" | "warning" | "error";
  logger: string;
  message: string;
}
/**
 * Take back what `mark_online` said; a client whose session is open stays online.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "MarkOfflineParams".
 */
export interface MarkOfflineParams {
  clientId: string;
  swarmName: string;
}
/**
 * Count a client as online that has no session open, until `mark_offline`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "MarkOnlineParams".
 */
export interface MarkOnlineParams {
  clientId: string;
  swarmName: string;
}
/**
 * Ask for a server's list of tools again at the next model call.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "McpUpdateParams".
 */
export interface McpUpdateParams {
  mcpName: string;
  clientId?: string | null;
}
/**
 * Push a text to the client of a connection, whichever agent is active.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "NotifyForceParams".
 */
export interface NotifyForceParams {
  content: string;
  clientId: string;
}
/**
 * Push a text to the client of a connection; nothing of it is kept in the history.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "NotifyParams".
 */
export interface NotifyParams {
  content: string;
  clientId: string;
  agentName: string;
}
/**
 * A document, or why there is none.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "OutlineResult".
 */
export interface OutlineResult {
  outlineName: string;
  resultId: string;
  isValid: boolean;
  attempt: number;
  params: JsonValue[];
  history: Message[];
  model: string;
  data: JsonValue;
  error: string | null;
  usage: Usage;
  seconds: number;
}
/**
 * Tokens that model calls took, and what they cost.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Usage".
 */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  cost: number;
  pricedTokens: number;
}
/**
 * Fields of a declaration to change until `catalog/restore`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "OverrideParams".
 */
export interface OverrideParams {
  kind: string;
  name: string;
  fields: {
    [k: string]: JsonValue;
  };
}
/**
 * Names the change.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "OverrideResult".
 */
export interface OverrideResult {
  overrideId: string;
}
/**
 * Ban a client from a swarm; return once that is durable.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PolicyBanClientParams".
 */
export interface PolicyBanClientParams {
  clientId: string;
  swarmName: string;
  policyName: string;
}
/**
 * Return whether a policy bans a client from a swarm.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PolicyHasBanParams".
 */
export interface PolicyHasBanParams {
  clientId: string;
  swarmName: string;
  policyName: string;
}
/**
 * Let a client talk to a swarm again; raises what `ban_client` raises.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PolicyUnbanClientParams".
 */
export interface PolicyUnbanClientParams {
  clientId: string;
  swarmName: string;
  policyName: string;
}
/**
 * Who connects; it stands in logs.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ProgramInfo".
 */
export interface ProgramInfo1 {
  name?: string;
  version?: string;
  /**
   * Such as `typescript`.
   */
  language?: string;
  /**
   * Such as `node 20.20.2`.
   */
  runtime?: string;
}
/**
 * A piece of what happens in a turn.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ProgressParams".
 */
export interface ProgressParams {
  token: string | number;
  /**
   * `type` is `textDelta`, `toolStarted`, `toolFinished` or `handedOff`.
   */
  value: {
    [k: string]: unknown;
  };
}
/**
 * Ask a wiki for an agent and return the text of its answer, with the sources it cites.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "QuestionParams".
 */
export interface QuestionParams {
  message: string;
  clientId: string;
  agentName: string;
  wikiName: string;
}
/**
 * Return a copy of what was noted down for a client in its swarm; None before the first time.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ReadSessionMemoryParams".
 */
export interface ReadSessionMemoryParams {
  clientId: string;
}
/**
 * Which change to take back.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RestoreParams".
 */
export interface RestoreParams {
  overrideId: string;
}
/**
 * Ask the model of whichever agent is active; see `run_stateless`.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RunStatelessForceParams".
 */
export interface RunStatelessForceParams {
  content: string;
  clientId: string;
}
/**
 * Ask the active agent's model something beside the conversation; nothing is written down.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RunStatelessParams".
 */
export interface RunStatelessParams {
  content: string;
  clientId: string;
  agentName: string;
}
/**
 * Return an object as lines `Title: value`, for a prompt.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SerializeParams".
 */
export interface SerializeParams {
  value:
    | {
        [k: string]: JsonValue;
      }
    | {
        [k: string]: JsonValue;
      }[];
}
/**
 * How a session is now; sent before the answer to the request that changed it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SessionChangedParams".
 */
export interface SessionChangedParams {
  clientId: string;
  swarmName: string;
  isOpen: boolean;
  agentName: string;
  /**
   * The agents that the running turn has been with.
   */
  route: string[];
  mode: string;
}
/**
 * A message to an open session; the messages of one session are answered in order.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SessionCompleteParams".
 */
export interface SessionCompleteParams {
  clientId: string;
  swarmName: string;
  content: string;
  payload?: unknown;
  /**
   * What happens in the turn is then sent as `$/progress` with this token; for the modes
   * `session` and `scope`.
   */
  progressToken?: string | number | null;
}
/**
 * Where a client's conversation stands.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SessionContext".
 */
export interface SessionContext {
  clientId: string;
  swarmName: string;
  agentName: string;
  mode: "session" | "connection" | "complete" | "scope";
  runId: string | null;
}
/**
 * A conversation of a client with a swarm.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SessionName".
 */
export interface SessionName {
  clientId: string;
  swarmName: string;
}
/**
 * Opens a session; it belongs to the connection and closes with it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SessionOpenParams".
 */
export interface SessionOpenParams {
  clientId: string;
  swarmName: string;
  mode?: "session" | "scheduled" | "rate" | "connection" | "complete" | "scope";
  /**
   * Seconds, for `scheduled` and `rate`; their own default when absent.
   */
  delay?: number | null;
  /**
   * Gets each answer and notification, as `{data, agentName, clientId}`; for `connection`, also
   * with a `flow`.
   */
  connector?: CallbackRef | null;
  /**
   * How a `connection` treats messages that come fast.
   */
  flow?: ("scheduled" | "rate") | null;
}
/**
 * Return the value, computed now if it is too old or a state it depends on changed.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedComputeGetParams".
 */
export interface SharedComputeGetParams {
  computeName: string;
}
/**
 * Discard the value, so that the next `get` computes it.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedComputeUpdateParams".
 */
export interface SharedComputeUpdateParams {
  computeName: string;
}
/**
 * Go back to the default.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStateClearParams".
 */
export interface SharedStateClearParams {
  stateName: string;
}
/**
 * Return a copy of the value.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStateGetParams".
 */
export interface SharedStateGetParams {
  stateName: string;
}
/**
 * Replace the value; return the new one once it is durable.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStateSetParams".
 */
export interface SharedStateSetParams {
  stateName: string;
  value: CallbackRef | JsonValue;
}
/**
 * Remove all items, the default ones too.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStorageClearParams".
 */
export interface SharedStorageClearParams {
  storageName: string;
}
/**
 * Return a number for a new item's id; each is handed out once.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStorageCreateNumericIndexParams".
 */
export interface SharedStorageCreateNumericIndexParams {
  storageName: string;
}
/**
 * Return a copy of an item, or None.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStorageGetParams".
 */
export interface SharedStorageGetParams {
  storageName: string;
  itemId: string | number;
}
/**
 * Return copies of all items, in the order they were added.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStorageListParams".
 */
export interface SharedStorageListParams {
  storageName: string;
}
/**
 * Remove an item; return whether it was there.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStorageRemoveParams".
 */
export interface SharedStorageRemoveParams {
  storageName: string;
  itemId: string | number;
}
/**
 * Return the items that fit a text best, the best first.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStorageTakeParams".
 */
export interface SharedStorageTakeParams {
  storageName: string;
  search: string;
  total: number;
  score?: number | null;
}
/**
 * Add an item or several, or replace those with the same id: all of them or none.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SharedStorageUpsertParams".
 */
export interface SharedStorageUpsertParams {
  storageName: string;
  items:
    | {
        [k: string]: JsonValue;
      }
    | {
        [k: string]: JsonValue;
      }[];
}
/**
 * Make an agent the active one, run a pipeline, and make the agent before it active again.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StartPipelineParams".
 */
export interface StartPipelineParams {
  clientId: string;
  pipelineName: string;
  agentName: string;
  payload?: unknown;
}
/**
 * Go back to the default.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StateClearParams".
 */
export interface StateClearParams {
  stateName: string;
  clientId: string;
  agentName: string;
}
/**
 * Return a copy of the value.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StateGetParams".
 */
export interface StateGetParams {
  stateName: string;
  clientId: string;
  agentName: string;
}
/**
 * Replace the value; return the new one once it is durable.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StateSetParams".
 */
export interface StateSetParams {
  stateName: string;
  value: CallbackRef | JsonValue;
  clientId: string;
  agentName: string;
}
/**
 * Remove all items, the default ones too.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StorageClearParams".
 */
export interface StorageClearParams {
  storageName: string;
  clientId: string;
  agentName: string;
}
/**
 * Return a number for a new item's id; each is handed out once.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StorageCreateNumericIndexParams".
 */
export interface StorageCreateNumericIndexParams {
  storageName: string;
  clientId: string;
  agentName: string;
}
/**
 * Return a copy of an item, or None.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StorageGetParams".
 */
export interface StorageGetParams {
  storageName: string;
  itemId: string | number;
  clientId: string;
  agentName: string;
}
/**
 * Return copies of all items, in the order they were added.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StorageListParams".
 */
export interface StorageListParams {
  storageName: string;
  clientId: string;
  agentName: string;
}
/**
 * Remove an item; return whether it was there.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StorageRemoveParams".
 */
export interface StorageRemoveParams {
  storageName: string;
  itemId: string | number;
  clientId: string;
  agentName: string;
}
/**
 * Return the items that fit a text best, the best first.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StorageTakeParams".
 */
export interface StorageTakeParams {
  storageName: string;
  search: string;
  total: number;
  score?: number | null;
  clientId: string;
  agentName: string;
}
/**
 * Add an item or several, or replace those with the same id: all of them or none.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "StorageUpsertParams".
 */
export interface StorageUpsertParams {
  storageName: string;
  items:
    | {
        [k: string]: JsonValue;
      }
    | {
        [k: string]: JsonValue;
      }[];
  clientId: string;
  agentName: string;
}
/**
 * Which events to send.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SubscribeParams".
 */
export interface SubscribeParams {
  clientId?: string;
  /**
   * A bus, such as `session-bus`, or a topic of the program's own.
   */
  bus: string;
  once?: boolean;
}
/**
 * Names the subscription.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SubscribeResult".
 */
export interface SubscribeResult {
  subscriptionId: string;
}
/**
 * Return a format as the `response_format` of OpenAI's API.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ToJsonSchemaParams".
 */
export interface ToJsonSchemaParams {
  name: string;
  format: {
    [k: string]: JsonValue;
  };
}
/**
 * Which subscription to end.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "UnsubscribeParams".
 */
export interface UnsubscribeParams {
  subscriptionId: string;
}
/**
 * Return None when arguments fit a tool's parameters, or the reason why they do not.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ValidateToolArgumentsParams".
 */
export interface ValidateToolArgumentsParams {
  arguments: JsonValue;
  schema: {
    [k: string]: JsonValue;
  };
}
/**
 * Note something down for a client in its swarm, in place of what was there; durably.
 *
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "WriteSessionMemoryParams".
 */
export interface WriteSessionMemoryParams {
  clientId: string;
  value: CallbackRef | JsonValue;
}
