/** What the core gives to functions, as programs see it. */

import { currentCall } from "../core/context.js";
import type * as Wire from "../generated/wire.js";
import { callFromWire, messageFromWire } from "./messages.js";
import type { ICompletionArgs, IOutlineArgs, IOutlineResult, IToolCallParams } from "./types.js";

/** The core's record of a tool call. */
export interface ToolContext {
  toolId: string;
  toolName: string;
  clientId: string;
  agentName: string;
  arguments: Record<string, unknown>;
  isLast: boolean;
  toolCalls?: Wire.ToolCall[];
  callReason?: string;
}

/** The core's record of a question to a completion. */
interface CompletionRequest {
  messages: Wire.Message[];
  tools?: { name: string; description: string; parameters: unknown }[];
  clientId?: string | null;
  agentName?: string | null;
  responseFormat?: { name: string; schema: unknown; strict?: boolean } | null;
}

/** Return a signal that aborts with the running call; one that never does outside of a call. */
export function callSignal(): AbortSignal {
  return currentCall()?.signal ?? new AbortController().signal;
}

/** Return the kit's record of a tool call. */
export function toolDto(context: ToolContext): IToolCallParams {
  return {
    toolId: context.toolId,
    clientId: context.clientId,
    agentName: context.agentName,
    toolName: context.toolName,
    params: context.arguments,
    toolCalls: (context.toolCalls ?? []).map(callFromWire),
    abortSignal: callSignal(),
    callReason: context.callReason ?? "",
    isLast: context.isLast,
  };
}

/** Return what the kit's completions are asked. */
export function completionArgs(request: CompletionRequest): ICompletionArgs {
  const agentName = request.agentName ?? "";
  const messages = request.messages.map((one) => messageFromWire(one, agentName));
  const args: ICompletionArgs = {
    clientId: request.clientId ?? "",
    agentName,
    mode: messages.findLast((one) => one.role === "user")?.mode ?? "user",
    messages,
    abortSignal: callSignal(),
  };
  if (request.tools?.length) {
    args.tools = request.tools.map(({ name, description, parameters }) => ({
      type: "function",
      function: { name, description, parameters },
    }));
  }
  const format = request.responseFormat;
  if (format) {
    args.outlineName = format.name;
    args.format = { type: "json_schema", json_schema: { ...format } };
  }
  return args;
}

/** The core's record of an attempt at an outline. */
export interface OutlineContext {
  outlineName: string;
  resultId: string;
  attempt: number;
  params: unknown[];
  format: unknown;
  history?: Wire.Message[];
}

/** Return what functions of outlines are given. */
export function outlineArgs(context: OutlineContext): IOutlineArgs {
  return {
    attempt: context.attempt,
    format: context.format,
    history: (context.history ?? []).map((one) => messageFromWire(one)),
    resultId: context.resultId,
    outlineName: context.outlineName,
  };
}

/** Return what `json` gives. */
export function outlineResult<Data>(result: Wire.OutlineResult): IOutlineResult<Data> {
  return {
    isValid: result.isValid ?? false,
    resultId: result.resultId ?? "",
    history: (result.history ?? []).map((one) => messageFromWire(one)),
    error: result.error ?? null,
    params: result.params ?? [],
    data: (result.data ?? null) as Data | null,
    attempt: result.attempt ?? 0,
    outlineName: result.outlineName ?? "",
    model: result.model ?? "",
  };
}

/** Return the client of the running call; "" outside of one. */
export function callClient(): string {
  return currentCall()?.clientId ?? "";
}
