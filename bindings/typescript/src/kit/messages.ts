/** Messages, tools and calls as programs see them, and the core's shapes of the same. */

import type * as Wire from "../generated/wire.js";

/** One call that a model asks for. */
export interface IToolCall {
  id: string;
  type: "function";
  function: {
    name: string;
    /** The arguments; an object for those that are valid JSON, else the text of the model. */
    // biome-ignore lint/suspicious/noExplicitAny: arguments have any shape
    arguments: { [name: string]: any };
  };
}

/** Who says a message. */
export type MessageRole = "assistant" | "system" | "tool" | "user" | "developer";

/** Whether a user wrote a message, or the program in the user's role. */
export type ExecutionMode = "user" | "tool";

/** One message of a history. */
export interface IModelMessage<Payload extends object = object> {
  role: MessageRole;
  content: string;
  /** The agent that was active. */
  agentName: string;
  mode: ExecutionMode;
  tool_calls?: IToolCall[];
  tool_call_id?: string;
  payload?: Payload | null;
  /** What the model thought aloud. */
  reasoning?: string | null;
}

/** A tool as it is offered to a model. */
export interface ITool {
  type: "function";
  function: {
    name: string;
    description: string;
    // biome-ignore lint/suspicious/noExplicitAny: a JSON Schema
    parameters?: any;
  };
}

/** Tokens that a model call took. */
export interface IUsage {
  inputTokens: number;
  outputTokens: number;
}

/** What a completion returns: at least a text, or calls. */
export interface ICompletionOutput {
  content?: string | null;
  role?: "assistant";
  agentName?: string;
  mode?: ExecutionMode;
  tool_calls?: readonly ICalledTool[] | null;
  reasoning?: string | null;
  /** What ran, such as `openai/gpt-4o`; the journal and training data keep it. */
  model?: string;
  usage?: IUsage;
}

/** A call as completions return it; the arguments may be the JSON text as well. */
export interface ICalledTool {
  id?: string | null;
  type?: string;
  function: { name: string; arguments?: string | object | null };
}

/** Return a call as programs see it. */
export function callFromWire(call: Wire.ToolCall): IToolCall {
  return {
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: parseArguments(call.arguments) },
  };
}

/** Return a call as the core sees it. */
export function callToWire(call: ICalledTool): Wire.ToolCall {
  const given = call.function.arguments ?? {};
  return {
    id: call.id || `call_${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`,
    name: call.function.name,
    arguments: typeof given === "string" ? given : JSON.stringify(given),
  };
}

/** Return a message as programs see it. */
export function messageFromWire(message: Wire.Message, agentName = ""): IModelMessage {
  const shown: IModelMessage = {
    role: message.role as MessageRole,
    content: message.content ?? "",
    agentName: message.agentName ?? agentName,
    mode: message.mode ?? "user",
  };
  if (message.toolCalls?.length) shown.tool_calls = message.toolCalls.map(callFromWire);
  if (message.toolCallId) shown.tool_call_id = message.toolCallId;
  if (message.payload !== null && message.payload !== undefined) {
    shown.payload = message.payload as object;
  }
  if (message.reasoning) shown.reasoning = message.reasoning;
  return shown;
}

/** Return what a completion gave as a message of the core. */
export function outputToWire(output: ICompletionOutput | string): Record<string, unknown> {
  const given = typeof output === "string" ? { content: output } : output;
  return {
    role: "assistant",
    content: given.content ?? "",
    toolCalls: (given.tool_calls ?? []).map(callToWire),
    ...(given.reasoning ? { reasoning: given.reasoning } : {}),
  };
}

/** Return what a completion gave, with what it says about the model. */
export function resultToWire(output: ICompletionOutput | string): Record<string, unknown> {
  const message = outputToWire(output);
  if (typeof output === "string" || !(output.model || output.usage)) return message;
  return {
    message,
    ...(output.model ? { model: output.model } : {}),
    ...(output.usage ? { usage: output.usage } : {}),
  };
}

/** Return a message that a program wrote as the core takes it. */
export function messageToWire(message: Partial<IModelMessage>): Record<string, unknown> {
  const { tool_calls, tool_call_id, agentName, ...rest } = message;
  return {
    ...rest,
    ...(agentName ? { agentName } : {}),
    ...(tool_calls ? { toolCalls: tool_calls.map(callToWire) } : {}),
    ...(tool_call_id ? { toolCallId: tool_call_id } : {}),
  };
}

function parseArguments(text: string): { [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text || "{}");
    if (value !== null && typeof value === "object") return value as { [name: string]: unknown };
  } catch {
    // The core tells the model what is wrong with it; here it is shown as it is.
  }
  return { arguments: text };
}
