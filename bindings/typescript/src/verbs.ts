/** The verbs: what tools, and the program around them, do to a conversation. */

import { core } from "./core/core.js";
import type { Requests } from "./generated/methods.js";
import { callToWire, type ExecutionMode, type ICalledTool } from "./kit/messages.js";

type Call = <M extends keyof Requests>(
  method: M,
  params: Requests[M]["params"],
) => Promise<Requests[M]["result"]>;

const ask: Call = (method, params) => core.call(method, params);

/** Let the active agent answer a message that the program writes; "" when another one took over. */
export async function execute(
  content: string,
  clientId: string,
  agentName: string,
): Promise<string> {
  return ask("verb/execute", { content, clientId, agentName });
}

/** `execute` for whichever agent is active. */
export async function executeForce(content: string, clientId: string): Promise<string> {
  return ask("verb/executeForce", { content, clientId });
}

/** Make a text the answer of the running turn. */
export async function emit(content: string, clientId: string, agentName: string): Promise<void> {
  await ask("verb/emit", { content, clientId, agentName });
}

/** `emit` for whichever agent is active. */
export async function emitForce(content: string, clientId: string): Promise<void> {
  await ask("verb/emitForce", { content, clientId });
}

/** Push a text to the client's connection. */
export async function notify(content: string, clientId: string, agentName: string): Promise<void> {
  await ask("verb/notify", { content, clientId, agentName });
}

/** `notify` for whichever agent is active. */
export async function notifyForce(content: string, clientId: string): Promise<void> {
  await ask("verb/notifyForce", { content, clientId });
}

/** Ask the active agent's model something beside the conversation; nothing is written down. */
export async function runStateless(
  content: string,
  clientId: string,
  agentName: string,
): Promise<string> {
  return ask("verb/runStateless", { content, clientId, agentName });
}

/** `runStateless` for whichever agent is active. */
export async function runStatelessForce(content: string, clientId: string): Promise<string> {
  return ask("verb/runStatelessForce", { content, clientId });
}

/** Commit the output of a tool call. */
export async function commitToolOutput(
  toolId: string,
  content: string,
  clientId: string,
  agentName: string,
): Promise<void> {
  await ask("verb/commitToolOutput", { toolId, content, clientId, agentName });
}

/** `commitToolOutput` for whichever agent is active. */
export async function commitToolOutputForce(
  toolId: string,
  content: string,
  clientId: string,
): Promise<void> {
  await ask("verb/commitToolOutputForce", { toolId, content, clientId });
}

/** Commit calls of tools in the model's name; returns their ids. */
export async function commitToolRequest(
  request: ICalledTool | readonly ICalledTool[],
  clientId: string,
  agentName: string,
): Promise<string[]> {
  return ask("verb/commitToolRequest", { request: requests(request), clientId, agentName });
}

/** `commitToolRequest` for whichever agent is active. */
export async function commitToolRequestForce(
  request: ICalledTool | readonly ICalledTool[],
  clientId: string,
): Promise<string[]> {
  return ask("verb/commitToolRequestForce", { request: requests(request), clientId });
}

/** Add a message in the user's role to the history. */
export async function commitUserMessage(
  content: string,
  mode: ExecutionMode,
  clientId: string,
  agentName: string,
  payload?: object | null,
): Promise<void> {
  await ask("verb/commitUserMessage", {
    content,
    mode,
    clientId,
    agentName,
    payload: json(payload),
  });
}

/** `commitUserMessage` for whichever agent is active. */
export async function commitUserMessageForce(
  content: string,
  mode: ExecutionMode,
  clientId: string,
  payload?: object | null,
): Promise<void> {
  await ask("verb/commitUserMessageForce", { content, mode, clientId, payload: json(payload) });
}

/** Add a message of the agent to the history. */
export async function commitAssistantMessage(
  content: string,
  clientId: string,
  agentName: string,
): Promise<void> {
  await ask("verb/commitAssistantMessage", { content, clientId, agentName });
}

/** `commitAssistantMessage` for whichever agent is active. */
export async function commitAssistantMessageForce(
  content: string,
  clientId: string,
): Promise<void> {
  await ask("verb/commitAssistantMessageForce", { content, clientId });
}

/** Add instructions to the history. */
export async function commitSystemMessage(
  content: string,
  clientId: string,
  agentName: string,
): Promise<void> {
  await ask("verb/commitSystemMessage", { content, clientId, agentName });
}

/** `commitSystemMessage` for whichever agent is active. */
export async function commitSystemMessageForce(content: string, clientId: string): Promise<void> {
  await ask("verb/commitSystemMessageForce", { content, clientId });
}

/** Add instructions to reasoning models to the history. */
export async function commitDeveloperMessage(
  content: string,
  clientId: string,
  agentName: string,
): Promise<void> {
  await ask("verb/commitDeveloperMessage", { content, clientId, agentName });
}

/** `commitDeveloperMessage` for whichever agent is active. */
export async function commitDeveloperMessageForce(
  content: string,
  clientId: string,
): Promise<void> {
  await ask("verb/commitDeveloperMessageForce", { content, clientId });
}

/** Hide the history before now from the models. */
export async function commitFlush(clientId: string, agentName: string): Promise<void> {
  await ask("verb/commitFlush", { clientId, agentName });
}

/** `commitFlush` for whichever agent is active. */
export async function commitFlushForce(clientId: string): Promise<void> {
  await ask("verb/commitFlushForce", { clientId });
}

/** Skip the tool calls of this round that have not started. */
export async function commitStopTools(clientId: string, agentName: string): Promise<void> {
  await ask("verb/commitStopTools", { clientId, agentName });
}

/** `commitStopTools` for whichever agent is active. */
export async function commitStopToolsForce(clientId: string): Promise<void> {
  await ask("verb/commitStopToolsForce", { clientId });
}

/** End the running turn with an empty answer; what comes later is dropped. */
export async function cancelOutput(clientId: string, agentName: string): Promise<void> {
  await ask("verb/cancelOutput", { clientId, agentName });
}

/** `cancelOutput` for whichever agent is active. */
export async function cancelOutputForce(clientId: string): Promise<void> {
  await ask("verb/cancelOutputForce", { clientId });
}

/** Hand the conversation to another agent of the swarm. */
export async function changeToAgent(agentName: string, clientId: string): Promise<boolean> {
  return ask("verb/changeToAgent", { agentName, clientId });
}

/** Hand the conversation to the swarm's default agent; whether it changed. */
export async function changeToDefaultAgent(clientId: string): Promise<boolean> {
  return ask("verb/changeToDefaultAgent", { clientId });
}

/** Hand the conversation back to the agent that had it before; whether it changed. */
export async function changeToPrevAgent(clientId: string): Promise<boolean> {
  return ask("verb/changeToPrevAgent", { clientId });
}

/** Ask a wiki that the agent lists. */
export async function question(
  message: string,
  clientId: string,
  agentName: string,
  wikiName: string,
): Promise<string> {
  return ask("verb/question", { message, clientId, agentName, wikiName });
}

/** Ask an advisor. */
async function askAdvisor(message: unknown, advisorName: string): Promise<string> {
  return ask("verb/ask", { message, advisorName });
}

/** Run a pipeline while an agent is the active one; returns what it returned. */
export async function startPipeline<Payload = unknown, Result = unknown>(
  clientId: string,
  pipelineName: string,
  agentName: string,
  payload?: Payload,
): Promise<Result> {
  const params = { clientId, pipelineName, agentName, payload: json(payload) };
  return (await ask("verb/startPipeline", params)) as Result;
}

/** End what a client has open in a swarm; whether there was anything. */
export async function disposeConnection(clientId: string, swarmName: string): Promise<void> {
  const isOwn = core.hasOpen(clientId, swarmName);
  await (isOwn
    ? core.dispose(clientId, swarmName)
    : ask("verb/disposeConnection", { clientId, swarmName }));
}

/** Say that a client is there. */
export async function markOnline(clientId: string, swarmName: string): Promise<void> {
  await ask("verb/markOnline", { clientId, swarmName });
}

/** Say that a client is gone. */
export async function markOffline(clientId: string, swarmName: string): Promise<void> {
  await ask("verb/markOffline", { clientId, swarmName });
}

/** Tell something to those that listen to a topic of the program's own. */
export async function event<Payload = unknown>(
  clientId: string,
  topic: string,
  payload?: Payload,
): Promise<void> {
  await ask("verb/event", { clientId, topic, payload: json(payload) });
}

function requests(given: ICalledTool | readonly ICalledTool[]) {
  return (Array.isArray(given) ? given : [given as ICalledTool]).map(callToWire);
}

function json(value: unknown): unknown {
  return value === undefined ? null : value;
}

export { askAdvisor as ask };
