/** The functions of the ready-made tools, for a program that declares the tools itself. */

import { core } from "./core/core.js";
import type { IToolCallParams } from "./kit/types.js";
import { getAgentName, getLastUserMessage, getSessionContext, hasNavigation } from "./reads.js";
import type {
  IAgentNavigation,
  ICommitAction,
  IFetchInfo,
  ITriageNavigation,
  Words,
} from "./templates.js";
import {
  changeToAgent,
  commitFlushForce,
  commitStopToolsForce,
  commitToolOutputForce,
  commitUserMessageForce,
  emitForce,
  executeForce,
} from "./verbs.js";

const NO_RESULT = "Action executed but produced no result";
const PLACEHOLDER = "Sorry, I could not find an answer. Please ask me again.";

/** Return a function that hands the client over to an agent. */
export function createNavigateToAgent(options: Omit<IAgentNavigation, "navigateTo">) {
  return async (toolId: string, clientId: string, navigateTo: string): Promise<void> => {
    const [asked, from] = await Promise.all([getLastUserMessage(clientId), getAgentName(clientId)]);
    const say = speaker(clientId, asked, from, navigateTo);
    await options.beforeNavigate?.(clientId, asked, from, navigateTo);
    const output =
      `Successfully navigated from ${from} to ${navigateTo}. ` +
      `Please do not call the navigate tool to ${navigateTo} during the next answer`;
    await commitStopToolsForce(clientId);
    await commitToolOutputForce(toolId, await say(options.toolOutput, output), clientId);
    if (await hasNavigation(clientId, navigateTo)) {
      await commitFlushForce(clientId);
      await emitForce(await say(options.flushMessage, PLACEHOLDER), clientId);
      return;
    }
    await changeToAgent(navigateTo, clientId);
    if (options.lastMessage) {
      await commitUserMessageForce(await say(options.lastMessage, ""), "tool", clientId);
    }
    if (options.emitMessage !== undefined) {
      await emitForce(await say(options.emitMessage, ""), clientId);
    } else if (options.executeMessage !== undefined) {
      await executeForce(await say(options.executeMessage, ""), clientId);
    }
  };
}

/** Return a function that hands the client back to the swarm's default agent. */
export function createNavigateToTriageAgent(options: ITriageNavigation) {
  return async (toolId: string, clientId: string): Promise<void> => {
    const { agentName, swarmName } = await getSessionContext(clientId);
    const target = await defaultAgent(swarmName);
    if (agentName === target) {
      const asked = await getLastUserMessage(clientId);
      const say = speaker(clientId, asked, agentName, target);
      const text = `Already on ${target}. Answer the user yourself`;
      await commitToolOutputForce(toolId, await say(options.toolOutputReject, text), clientId);
      return;
    }
    const { toolOutputAccept, toolOutputReject: _reject, ...rest } = options;
    const navigate = createNavigateToAgent({
      ...rest,
      ...(toolOutputAccept === undefined ? {} : { toolOutput: toolOutputAccept }),
    });
    await navigate(toolId, clientId, target);
  };
}

/** Return the function of a tool that changes something. */
// biome-ignore lint/suspicious/noExplicitAny: arguments have any shape
export function createCommitAction<P = Record<string, any>>(options: ICommitAction<P>) {
  return async ({ toolId, clientId, agentName, params }: IToolCallParams<P>): Promise<void> => {
    let message = options.successMessage;
    let output: string;
    try {
      const value = await options.executeAction(params, clientId, agentName);
      output = isEmpty(value) ? (options.emptyContent ?? NO_RESULT) : asText(value);
    } catch (error) {
      await options.fallback?.(error as Error, clientId, agentName);
      if (options.failureMessage === undefined) throw error;
      output = `error: ${String(error)}`;
      message = options.failureMessage;
    }
    await commitToolOutputForce(toolId, output, clientId);
    const said = typeof message === "string" ? message : await message(params, clientId, agentName);
    await executeForce(said, clientId);
  };
}

/** Return the function of a tool that looks something up. */
// biome-ignore lint/suspicious/noExplicitAny: arguments have any shape
export function createFetchInfo<P = Record<string, any>>(options: IFetchInfo<P>) {
  return async (dto: IToolCallParams<P>): Promise<void> => {
    const { toolId, clientId, agentName, toolName, params } = dto;
    let output = `The tool named ${toolName} is not available. Do not ever call it again`;
    try {
      const value = await options.fetchContent(params, clientId, agentName);
      const { emptyContent } = options;
      if (!isEmpty(value)) output = asText(value);
      else if (typeof emptyContent === "string") output = emptyContent;
      else if (emptyContent) output = await emptyContent(params, clientId, agentName);
    } catch (error) {
      await options.fallback?.(error as Error, clientId, agentName);
    }
    // The model is asked again by itself when all calls of its answer have their outputs.
    await commitToolOutputForce(toolId, output, clientId);
  };
}

function speaker(clientId: string, asked: string, from: string, to: string) {
  return async (words: Words | undefined, otherwise: string): Promise<string> => {
    if (words === undefined) return otherwise;
    return typeof words === "string" ? words : words(clientId, asked, from, to);
  };
}

async function defaultAgent(swarmName: string): Promise<string> {
  const { declarations } = await core.call("catalog/get", { kind: "swarm", name: swarmName });
  return String(declarations[0]?.defaultAgent ?? "");
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
