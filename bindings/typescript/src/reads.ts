/** What a program may read of a conversation. */

import { currentCall } from "./core/context.js";
import { core } from "./core/core.js";
import { SessionError } from "./generated/errors.js";
import type * as Wire from "./generated/wire.js";
import { type IModelMessage, messageFromWire } from "./kit/messages.js";

/** Where a client's conversation stands. */
export interface ISessionContext {
  clientId: string;
  swarmName: string;
  agentName: string;
  mode: "session" | "connection" | "complete" | "scope";
  /** The turn that runs, if any. */
  runId: string | null;
}

/** Return the name of the active agent. */
export async function getAgentName(clientId: string): Promise<string> {
  return core.call("verb/getAgentName", { clientId });
}

/** Return what an agent's model would be shown now. */
export async function getAgentHistory(
  clientId: string,
  agentName: string,
): Promise<IModelMessage[]> {
  return shown(await core.call("verb/getAgentHistory", { clientId, agentName }));
}

/** Return every message of the conversation, oldest first. */
export async function getRawHistory(clientId: string): Promise<IModelMessage[]> {
  return shown(await core.call("verb/getRawHistory", { clientId }));
}

/** Return every message that the user wrote, oldest first. */
export async function getUserHistory(clientId: string): Promise<IModelMessage[]> {
  return shown(await core.call("verb/getUserHistory", { clientId }));
}

/** Return every text of the agents, oldest first. */
export async function getAssistantHistory(clientId: string): Promise<IModelMessage[]> {
  return shown(await core.call("verb/getAssistantHistory", { clientId }));
}

/** Return the newest message that the user wrote; "" before the first one. */
export async function getLastUserMessage(clientId: string): Promise<string> {
  return core.call("verb/getLastUserMessage", { clientId });
}

/** Return the newest text of an agent; "" before the first one. */
export async function getLastAssistantMessage(clientId: string): Promise<string> {
  return core.call("verb/getLastAssistantMessage", { clientId });
}

/** Return the newest system message that was committed; "" before the first one. */
export async function getLastSystemMessage(clientId: string): Promise<string> {
  return core.call("verb/getLastSystemMessage", { clientId });
}

/** Return the newest tool output; "" before the first one. */
export async function getLastToolMessage(clientId: string): Promise<string> {
  return core.call("verb/getLastToolMessage", { clientId });
}

/** Return which verb opened the client's session. */
export async function getSessionMode(clientId: string): Promise<ISessionContext["mode"]> {
  return core.call("verb/getSessionMode", { clientId });
}

/** Return where the client's conversation stands. */
export async function getSessionContext(clientId?: string): Promise<ISessionContext> {
  const id = clientId ?? currentCall()?.clientId;
  if (!id) throw new SessionError("getSessionContext: this code belongs to no turn; name a client");
  return (await core.call("verb/getSessionContext", { clientId: id })) as ISessionContext;
}

/** Return whether a turn of the client is running. */
export async function getCheckBusy(clientId: string): Promise<boolean> {
  return core.call("verb/getCheckBusy", { clientId });
}

/** Return the name under which an agent's model knows a declared tool now. */
export async function getToolNameForModel(
  toolName: string,
  clientId: string,
  agentName: string,
): Promise<string> {
  return core.call("verb/getToolNameForModel", { toolName, clientId, agentName });
}

/** Return whether an agent had the running turn already. */
export async function hasNavigation(clientId: string, agentName: string): Promise<boolean> {
  return core.call("verb/hasNavigation", { clientId, agentName });
}

/** Return whether a client has a live session. */
export function hasSession(clientId: string): boolean {
  return core.hasOpen(clientId) || core.mirror.find(clientId) !== undefined;
}

/** Return the payload of the message that the calling code's turn answers; null without one. */
export function getPayload<Payload extends object = object>(): Payload | null {
  const call = currentCall();
  if (call === undefined) throw new SessionError("getPayload: this code belongs to no turn");
  return call.payload as Payload | null;
}

/** Return the agents that had the running turn, in order; none outside of a turn. */
export function getNavigationRoute(clientId: string, swarmName?: string): Set<string> {
  return new Set(core.mirror.find(clientId, swarmName)?.route ?? []);
}

function shown(messages: readonly Wire.Message[]): IModelMessage[] {
  return messages.map((one) => messageFromWire(one));
}
