/** Declarations: what the program says once, at its start. */

import { declare, override, read } from "./declaring.js";
import {
  ADVISOR,
  AGENT,
  COMPLETION,
  COMPUTE,
  EMBEDDING,
  MCP,
  OUTLINE,
  PIPELINE,
  POLICY,
  STATE,
  STORAGE,
  SWARM,
  TOOL,
  WIKI,
} from "./kinds.js";
import type {
  IAdvisorSchema,
  IAgentSchema,
  IAgentTool,
  ICompletionSchema,
  IComputeSchema,
  IEmbeddingSchema,
  IMCPSchema,
  IOutlineSchema,
  IPipelineSchema,
  IPolicySchema,
  IStateSchema,
  IStorageData,
  IStorageSchema,
  ISwarmSchema,
  IWikiSchema,
} from "./kit/types.js";

/** Declare a model that agents speak through; returns its name. */
export function addCompletion(schema: ICompletionSchema): string {
  return declare(COMPLETION, schema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
export async function overrideCompletion(
  fields: Partial<ICompletionSchema> & Pick<ICompletionSchema, "completionName">,
): Promise<ICompletionSchema> {
  return (await override(COMPLETION, fields as Partial<ICompletionSchema>)) as ICompletionSchema;
}

/** Return what `addCompletion` was given, with what was overridden since. */
export function getCompletion(name: string): ICompletionSchema {
  return read(COMPLETION, name);
}

/** Declare a wiki: a model fine-tuned on your questions and answers; returns its name. */
export function addWiki(schema: IWikiSchema): string {
  return declare(WIKI, schema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
export async function overrideWiki(
  fields: Partial<IWikiSchema> & Pick<IWikiSchema, "wikiName">,
): Promise<IWikiSchema> {
  return (await override(WIKI, fields as Partial<IWikiSchema>)) as IWikiSchema;
}

/** Return what `addWiki` was given, with what was overridden since. */
export function getWiki(name: string): IWikiSchema {
  return read(WIKI, name);
}

/** Declare a function that agents may call; returns its name. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export function addTool<Params = Record<string, any>>(schema: IAgentTool<Params>): string {
  return declare(TOOL, schema as IAgentTool);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export async function overrideTool<Params = Record<string, any>>(
  fields: Partial<IAgentTool<Params>> & Pick<IAgentTool<Params>, "toolName">,
): Promise<IAgentTool<Params>> {
  return (await override(TOOL, fields as Partial<IAgentTool>)) as IAgentTool<Params>;
}

/** Return what `addTool` was given, with what was overridden since. */
export function getTool(name: string): IAgentTool {
  return read(TOOL, name);
}

/** Declare an agent; returns its name. */
export function addAgent(schema: IAgentSchema): string {
  return declare(AGENT, schema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
export async function overrideAgent(
  fields: Partial<IAgentSchema> & Pick<IAgentSchema, "agentName">,
): Promise<IAgentSchema> {
  return (await override(AGENT, fields as Partial<IAgentSchema>)) as IAgentSchema;
}

/** Return what `addAgent` was given, with what was overridden since. */
export function getAgent(name: string): IAgentSchema {
  return read(AGENT, name);
}

/** Declare a swarm: agents that share one conversation; returns its name. */
export function addSwarm(schema: ISwarmSchema): string {
  return declare(SWARM, schema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
export async function overrideSwarm(
  fields: Partial<ISwarmSchema> & Pick<ISwarmSchema, "swarmName">,
): Promise<ISwarmSchema> {
  return (await override(SWARM, fields as Partial<ISwarmSchema>)) as ISwarmSchema;
}

/** Return what `addSwarm` was given, with what was overridden since. */
export function getSwarm(name: string): ISwarmSchema {
  return read(SWARM, name);
}

/** Declare a policy: what may be said, and by whom; returns its name. */
export function addPolicy(schema: IPolicySchema): string {
  return declare(POLICY, schema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
export async function overridePolicy(
  fields: Partial<IPolicySchema> & Pick<IPolicySchema, "policyName">,
): Promise<IPolicySchema> {
  return (await override(POLICY, fields as Partial<IPolicySchema>)) as IPolicySchema;
}

/** Return what `addPolicy` was given, with what was overridden since. */
export function getPolicy(name: string): IPolicySchema {
  return read(POLICY, name);
}

/** Declare a state: a value that belongs to a client; returns its name. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export function addState<T = any>(schema: IStateSchema<T>): string {
  return declare(STATE, schema as IStateSchema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export async function overrideState<T = any>(
  fields: Partial<IStateSchema<T>> & Pick<IStateSchema<T>, "stateName">,
): Promise<IStateSchema<T>> {
  return (await override(STATE, fields as Partial<IStateSchema>)) as IStateSchema<T>;
}

/** Return what `addState` was given, with what was overridden since. */
export function getState(name: string): IStateSchema {
  return read(STATE, name);
}

/** Declare a storage: items found by their meaning; returns its name. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export function addStorage<T extends IStorageData = any>(schema: IStorageSchema<T>): string {
  return declare(STORAGE, schema as IStorageSchema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export async function overrideStorage<T extends IStorageData = any>(
  fields: Partial<IStorageSchema<T>> & Pick<IStorageSchema<T>, "storageName">,
): Promise<IStorageSchema<T>> {
  return (await override(STORAGE, fields as Partial<IStorageSchema>)) as IStorageSchema<T>;
}

/** Return what `addStorage` was given, with what was overridden since. */
export function getStorage(name: string): IStorageSchema {
  return read(STORAGE, name);
}

/** Declare an embedding: how texts become vectors; returns its name. */
export function addEmbedding(schema: IEmbeddingSchema): string {
  return declare(EMBEDDING, schema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
export async function overrideEmbedding(
  fields: Partial<IEmbeddingSchema> & Pick<IEmbeddingSchema, "embeddingName">,
): Promise<IEmbeddingSchema> {
  return (await override(EMBEDDING, fields as Partial<IEmbeddingSchema>)) as IEmbeddingSchema;
}

/** Return what `addEmbedding` was given, with what was overridden since. */
export function getEmbedding(name: string): IEmbeddingSchema {
  return read(EMBEDDING, name);
}

/** Declare a compute: a value computed when asked for; returns its name. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export function addCompute<T = any>(schema: IComputeSchema<T>): string {
  return declare(COMPUTE, schema as IComputeSchema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export async function overrideCompute<T = any>(
  fields: Partial<IComputeSchema<T>> & Pick<IComputeSchema<T>, "computeName">,
): Promise<IComputeSchema<T>> {
  return (await override(COMPUTE, fields as Partial<IComputeSchema>)) as IComputeSchema<T>;
}

/** Return what `addCompute` was given, with what was overridden since. */
export function getCompute(name: string): IComputeSchema {
  return read(COMPUTE, name);
}

/** Declare a server of tools; returns its name. */
export function addMCP(schema: IMCPSchema): string {
  return declare(MCP, schema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
export async function overrideMCP(
  fields: Partial<IMCPSchema> & Pick<IMCPSchema, "mcpName">,
): Promise<IMCPSchema> {
  return (await override(MCP, fields as Partial<IMCPSchema>)) as IMCPSchema;
}

/** Return what `addMCP` was given, with what was overridden since. */
export function getMCP(name: string): IMCPSchema {
  return read(MCP, name);
}

/** Declare an outline: a JSON document that a model fills in; returns its name. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export function addOutline<Data = any>(schema: IOutlineSchema<Data>): string {
  return declare(OUTLINE, schema as IOutlineSchema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export async function overrideOutline<Data = any>(
  fields: Partial<IOutlineSchema<Data>> & Pick<IOutlineSchema<Data>, "outlineName">,
): Promise<IOutlineSchema<Data>> {
  return (await override(OUTLINE, fields as Partial<IOutlineSchema>)) as IOutlineSchema<Data>;
}

/** Return what `addOutline` was given, with what was overridden since. */
export function getOutline(name: string): IOutlineSchema {
  return read(OUTLINE, name);
}

/** Declare an advisor: something that answers one message; returns its name. */
export function addAdvisor<Message = string>(schema: IAdvisorSchema<Message>): string {
  return declare(ADVISOR, schema as IAdvisorSchema<never>);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
export async function overrideAdvisor<Message = string>(
  fields: Partial<IAdvisorSchema<Message>> & Pick<IAdvisorSchema<Message>, "advisorName">,
): Promise<IAdvisorSchema<Message>> {
  return (await override(
    ADVISOR,
    fields as Partial<IAdvisorSchema<never>>,
  )) as IAdvisorSchema<Message>;
}

/** Return what `addAdvisor` was given, with what was overridden since. */
export function getAdvisor(name: string): IAdvisorSchema {
  return read(ADVISOR, name) as IAdvisorSchema;
}

/** Declare a pipeline: a procedure that runs as an agent; returns its name. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export function addPipeline<Payload = any>(schema: IPipelineSchema<Payload>): string {
  return declare(PIPELINE, schema as IPipelineSchema);
}

/** Change fields of a declaration, for sessions that open later; returns it as it is then. */
// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
export async function overridePipeline<Payload = any>(
  fields: Partial<IPipelineSchema<Payload>> & Pick<IPipelineSchema<Payload>, "pipelineName">,
): Promise<IPipelineSchema<Payload>> {
  return (await override(PIPELINE, fields as Partial<IPipelineSchema>)) as IPipelineSchema<Payload>;
}

/** Return what `addPipeline` was given, with what was overridden since. */
export function getPipeline(name: string): IPipelineSchema {
  return read(PIPELINE, name);
}
