/** Ready-made tools: hand-offs, actions and look-ups. */

import { declare, type Kind } from "./declaring.js";
import type { IToolCall } from "./kit/messages.js";
import { type ToolContext, toolDto } from "./kit/records.js";
import type { IToolCallParams, IToolFunction } from "./kit/types.js";

type Awaitable<T> = T | Promise<T>;
// biome-ignore lint/suspicious/noExplicitAny: arguments have any shape
type Params = Record<string, any>;

/** A text, or a function that makes it. */
export type Words =
  | string
  | ((
      clientId: string,
      lastMessage: string,
      lastAgent: string,
      agentName: string,
    ) => Awaitable<string>);
type WordsFn = Exclude<Words, string>;

interface INavigation {
  /** Is called first; what it throws is told to the model and nothing changes. */
  beforeNavigate?(
    clientId: string,
    lastMessage: string,
    lastAgent: string,
    agentName: string,
  ): unknown;
  /** Makes the message that the next agent is given. */
  lastMessage?: WordsFn;
  /** What the next agent is asked. */
  executeMessage?: Words;
  /** What the client is told when the agent had this turn before. */
  flushMessage?: Words;
}

interface INavigationTool {
  toolName: string;
  description: string;
  docNote?: string;
  isAvailable?(clientId: string, agentName: string, toolName: string): Awaitable<boolean>;
}

export interface IAgentNavigation extends INavigation {
  navigateTo: string;
  /** What the client is told in place of the next agent's answer. */
  emitMessage?: Words;
  /** What the model of the agent that hands over reads. */
  toolOutput?: Words;
}

export interface ITriageNavigation extends INavigation {
  toolOutputAccept?: Words;
  toolOutputReject?: Words;
}

export type IAgentNavigationTool = IAgentNavigation & INavigationTool;
export type ITriageNavigationTool = ITriageNavigation & INavigationTool;

interface IInfoTool<P> {
  toolName: string;
  function: IToolFunction;
  docNote?: string;
  isAvailable?(clientId: string, agentName: string, toolName: string): Awaitable<boolean>;
  validateParams?(dto: {
    clientId: string;
    agentName: string;
    params: P;
    toolCalls: IToolCall[];
  }): Awaitable<boolean | string>;
}

type OfParams<P, T> = (params: P, clientId: string, agentName: string) => Awaitable<T>;

export interface ICommitAction<P = Params> {
  executeAction: OfParams<P, unknown>;
  /** What the agent is asked to tell the client then. */
  successMessage: string | OfParams<P, string>;
  failureMessage?: string | OfParams<P, string>;
  /** The output when the action returns nothing. */
  emptyContent?: string;
  fallback?(error: Error, clientId: string, agentName: string): unknown;
}

export interface IFetchInfo<P = Params> {
  fetchContent: OfParams<P, unknown>;
  emptyContent?: string | OfParams<P, string>;
  fallback?(error: Error, clientId: string, agentName: string): unknown;
}

export type ICommitActionTool<P = Params> = ICommitAction<P> & IInfoTool<P>;
export type IFetchInfoTool<P = Params> = IFetchInfo<P> & IInfoTool<P>;

const NAVIGATION: Kind<IAgentNavigationTool> = {
  kind: "agentNavigation",
  registry: "tool",
  nameField: "toolName",
  translate: (schema) => ({ ...schema }),
};
const TRIAGE: Kind<ITriageNavigationTool> = {
  kind: "triageNavigation",
  registry: "tool",
  nameField: "toolName",
  translate: (schema) => ({ ...schema }),
};
const ACTION: Kind<ICommitActionTool> = {
  kind: "commitAction",
  registry: "tool",
  nameField: "toolName",
  translate: ({ executeAction, successMessage, failureMessage, fallback, ...rest }) => ({
    ...common(rest),
    executeAction: ofContext(executeAction),
    successMessage: ofContext(successMessage),
    failureMessage: ofContext(failureMessage),
    fallback: ofError(fallback),
  }),
};
const FETCH: Kind<IFetchInfoTool> = {
  kind: "fetchInfo",
  registry: "tool",
  nameField: "toolName",
  translate: ({ fetchContent, emptyContent, fallback, ...rest }) => ({
    ...common(rest),
    fetchContent: ofContext(fetchContent),
    emptyContent: ofContext(emptyContent),
    fallback: ofError(fallback),
  }),
};

/** Declare a tool without parameters that hands the client over to an agent. */
export function addAgentNavigation(schema: IAgentNavigationTool): string {
  return declare(NAVIGATION, schema);
}

/** Declare a tool without parameters that hands the client back to the default agent. */
export function addTriageNavigation(schema: ITriageNavigationTool): string {
  return declare(TRIAGE, schema);
}

/** Declare a tool that changes something: checked, run, its output kept, the client told. */
export function addCommitAction<P = Params>(schema: ICommitActionTool<P>): string {
  return declare(ACTION, schema as unknown as ICommitActionTool);
}

/** Declare a tool that looks something up and changes nothing. */
export function addFetchInfo<P = Params>(schema: IFetchInfoTool<P>): string {
  return declare(FETCH, schema as unknown as IFetchInfoTool);
}

function common({ validateParams, ...rest }: IInfoTool<Params> & { [field: string]: unknown }) {
  return {
    ...rest,
    validateParams:
      validateParams &&
      ((params: Params, context: ToolContext) => {
        const { clientId, agentName, toolCalls }: IToolCallParams = toolDto(context);
        return validateParams({ clientId, agentName, params, toolCalls });
      }),
  };
}

function ofContext<T>(given: T | ((...args: never[]) => unknown)) {
  if (typeof given !== "function") return given;
  const run = given as OfParams<Params, unknown>;
  return (params: Params, context: ToolContext) => run(params, context.clientId, context.agentName);
}

function ofError(run?: (error: Error, clientId: string, agentName: string) => unknown) {
  return (
    run &&
    ((error: unknown, context: ToolContext) =>
      run(asError(error), context.clientId, context.agentName))
  );
}

function asError(value: unknown): Error {
  const given = (value as { $error?: { name?: string; message?: string } } | null)?.$error;
  const error = new Error(given?.message ?? String(value));
  if (given?.name) error.name = given.name;
  return error;
}
