/**
 * Swarms of agents whose knowledge lives in fine-tuned models: the verbs of the TypeScript kit, on
 * the Python core. Functions of the program run here; conversations, history and models there.
 */

import { core } from "./core/core.js";

export { Adapter, RoundRobin } from "./adapter.js";
export * from "./declare.js";
export type { IArgumentsResult, ValidateArgs } from "./direct.js";
export { chat, json, toJsonSchema, validate, validateToolArguments } from "./direct.js";
export { SwarmError } from "./errors/base.js";
export * from "./events.js";
export { Chat, type IChatCallbacks, type ILogger, Logger, MCP, Policy } from "./facades.js";
export * from "./generated/errors.js";
export * from "./handlers.js";
export { fork, makeAutoDispose, scope } from "./isolation.js";
export { type IGlobalConfig, setConfig } from "./kit/config.js";
export type {
  ExecutionMode,
  ICalledTool,
  ICompletionOutput,
  IModelMessage,
  ITool,
  IToolCall,
  IUsage,
  MessageRole,
} from "./kit/messages.js";
export type * from "./kit/types.js";
export {
  Compute,
  Schema,
  SharedCompute,
  SharedState,
  SharedStorage,
  State,
  Storage,
} from "./memory.js";
export {
  dumpAgent,
  dumpDocs,
  dumpSwarm,
  type IInboxFilter,
  type IInboxItem,
  Operator,
} from "./people.js";
export * from "./reads.js";
export * from "./session.js";
export * from "./templates.js";
export * from "./verbs.js";

/** End the connection to the core; a program that only ends need not call it. */
export async function disconnect(): Promise<void> {
  await core.close();
}
