/** Turns declarations of agents, tools, completions, wikis and swarms into the core's fields. */

import type * as Wire from "../generated/wire.js";
import { CORE_MODEL, type CoreModel } from "./adapters/core.js";
import {
  callFromWire,
  callToWire,
  type ICompletionOutput,
  messageFromWire,
  outputToWire,
  resultToWire,
} from "./messages.js";
import { callClient, completionArgs, type ToolContext, toolDto } from "./records.js";
import type {
  Fn,
  IAgentSchema,
  IAgentTool,
  ICompletionSchema,
  ISwarmSchema,
  IWikiSchema,
} from "./types.js";

/** The fields of a declaration, with functions in place. */
export type Fields = Record<string, unknown>;

export function agentFields(schema: IAgentSchema): Fields {
  const { validate, map, mapToolCalls, getRescue, transform, callbacks, ...rest } = schema;
  const { agentName } = schema;
  return {
    ...rest,
    validateOutput: validate && (async (text: string) => (await validate(text)) ?? null),
    // The core gives the text alone; whose it is, the call knows.
    transform: transform && ((text: string) => transform(text, callClient(), agentName)),
    mapMessage:
      map &&
      (async (message: Wire.Message) =>
        outputToWire(await map(messageFromWire(message, agentName), callClient(), agentName))),
    mapToolCalls:
      mapToolCalls &&
      (async (calls: Wire.ToolCall[], clientId: string, agent: string) =>
        (await mapToolCalls(calls.map(callFromWire), clientId, agent)).map(callToWire)),
    getRescue:
      getRescue &&
      (async (clientId: string, agent: string) => outputToWire(await getRescue(clientId, agent))),
    callbacks: callbacks && {
      ...callbacks,
      onToolRequest: withCalls(callbacks.onToolRequest),
      onAfterToolCalls: withCalls(callbacks.onAfterToolCalls),
    },
  };
}

export function toolFields(schema: IAgentTool): Fields {
  const { call, validate, callbacks, function: shape, ...rest } = schema;
  const dynamic = typeof shape === "function" ? shape : undefined;
  const told = callbacks ?? {};
  const during = (run: Fn | undefined) =>
    run && ((one: ToolContext) => run(one.toolId, one.clientId, one.agentName, one.arguments));
  return {
    ...rest,
    function: dynamic ? undefined : shape,
    getFunction: dynamic,
    call: (context: ToolContext) => call(toolDto(context)),
    validateParams:
      validate &&
      ((params: Record<string, unknown>, context: ToolContext) => {
        const { clientId, agentName, toolCalls } = toolDto(context);
        return validate({ clientId, agentName, params, toolCalls });
      }),
    callbacks: callbacks && {
      onBeforeCall: during(told.onBeforeCall),
      onAfterCall: during(told.onAfterCall),
      onValidate:
        told.onValidate &&
        ((one: ToolContext) => told.onValidate?.(one.clientId, one.agentName, one.arguments)),
      onCallError:
        told.onCallError &&
        ((one: ToolContext, error: unknown) =>
          told.onCallError?.(
            one.toolId,
            one.clientId,
            one.agentName,
            one.arguments,
            toError(error),
          )),
    },
  };
}

export function completionFields(schema: ICompletionSchema): Fields {
  const { getCompletion, json, callbacks, ...rest } = schema;
  const inCore = (getCompletion as { [CORE_MODEL]?: CoreModel } | undefined)?.[CORE_MODEL];
  const onComplete = callbacks?.onComplete;
  type Request = Parameters<typeof completionArgs>[0];
  return {
    ...rest,
    ...inCore,
    jsonMode: json,
    getCompletion:
      getCompletion && !inCore
        ? async (request: Request) => resultToWire(await getCompletion(completionArgs(request)))
        : undefined,
    callbacks: onComplete && {
      onComplete: (request: Request, result: { message?: Wire.Message }) => {
        const message = messageFromWire(result.message ?? ({ role: "assistant" } as Wire.Message));
        return onComplete(completionArgs(request), message as ICompletionOutput);
      },
    },
  };
}

export function wikiFields(schema: IWikiSchema): Fields {
  const { getChat, callbacks, ...rest } = schema;
  const onChat = callbacks?.onChat;
  return {
    ...rest,
    getChat: getChat && ((message: string) => getChat({ message })),
    callbacks: onChat && { onChat: (message: string) => onChat({ message }) },
  };
}

export function swarmFields(schema: ISwarmSchema): Fields {
  const { persist: _persist, ...rest } = schema;
  return rest;
}

/** Return what the core says of a failure as an error. */
export function toError(value: unknown): Error {
  if (value instanceof Error) return value;
  const given = (value ?? {}) as {
    message?: unknown;
    name?: unknown;
    $error?: { message?: unknown };
  };
  const text = given.message ?? given.$error?.message ?? value;
  return new Error(typeof text === "string" ? text : JSON.stringify(text));
}

function withCalls(run: Fn | undefined): Fn | undefined {
  return (
    run &&
    ((clientId: string, agentName: string, calls: Wire.ToolCall[]) =>
      run(clientId, agentName, calls.map(callFromWire)))
  );
}
