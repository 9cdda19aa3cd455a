/** The kinds of declarations: what each is on the wire, and how it is put in the core's words. */

import type { Kind } from "./declaring.js";
import {
  agentFields,
  completionFields,
  swarmFields,
  toolFields,
  wikiFields,
} from "./kit/translate.js";
import {
  advisorFields,
  computeFields,
  embeddingFields,
  mcpFields,
  outlineFields,
  pipelineFields,
  policyFields,
  stateFields,
  storageFields,
} from "./kit/translate_data.js";
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
  IStorageSchema,
  ISwarmSchema,
  IWikiSchema,
} from "./kit/types.js";

export const COMPLETION: Kind<ICompletionSchema> = {
  kind: "completion",
  nameField: "completionName",
  translate: completionFields,
};
export const WIKI: Kind<IWikiSchema> = {
  kind: "wiki",
  nameField: "wikiName",
  translate: wikiFields,
};
export const TOOL: Kind<IAgentTool> = {
  kind: "tool",
  nameField: "toolName",
  translate: toolFields,
};
export const AGENT: Kind<IAgentSchema> = {
  kind: "agent",
  nameField: "agentName",
  translate: agentFields,
};
export const SWARM: Kind<ISwarmSchema> = {
  kind: "swarm",
  nameField: "swarmName",
  translate: swarmFields,
};
export const POLICY: Kind<IPolicySchema> = {
  kind: "policy",
  nameField: "policyName",
  translate: policyFields,
};
export const STATE: Kind<IStateSchema> = {
  kind: "state",
  nameField: "stateName",
  translate: stateFields,
};
export const STORAGE: Kind<IStorageSchema> = {
  kind: "storage",
  nameField: "storageName",
  translate: storageFields,
};
export const EMBEDDING: Kind<IEmbeddingSchema> = {
  kind: "embedding",
  nameField: "embeddingName",
  translate: embeddingFields,
};
export const COMPUTE: Kind<IComputeSchema> = {
  kind: "compute",
  nameField: "computeName",
  translate: computeFields,
};
export const MCP: Kind<IMCPSchema> = { kind: "mcp", nameField: "mcpName", translate: mcpFields };
export const OUTLINE: Kind<IOutlineSchema> = {
  kind: "outline",
  nameField: "outlineName",
  translate: outlineFields,
};
export const ADVISOR: Kind<IAdvisorSchema<never>> = {
  kind: "advisor",
  nameField: "advisorName",
  translate: advisorFields,
};
export const PIPELINE: Kind<IPipelineSchema> = {
  kind: "pipeline",
  nameField: "pipelineName",
  translate: pipelineFields,
};

/** All of them, by what they are called on the wire. */
export const KINDS: ReadonlyMap<string, Kind<never>> = new Map(
  [
    COMPLETION,
    WIKI,
    TOOL,
    AGENT,
    SWARM,
    POLICY,
    STATE,
    STORAGE,
    EMBEDDING,
    COMPUTE,
    MCP,
    OUTLINE,
    ADVISOR,
    PIPELINE,
  ].map((kind) => [kind.kind, kind]),
);
