/** `setConfig`: defaults for the declarations that are made without them. */

import { shared } from "../core/shared.js";
import { DeclarationError } from "../generated/errors.js";
import type { Fn } from "./types.js";

/** The kit's settings that have a meaning here; each is the default of a field. */
export interface IGlobalConfig {
  CC_KEEP_MESSAGES: number;
  CC_MAX_TOOL_CALLS: number;
  CC_RESQUE_STRATEGY: "flush" | "recomplete" | "repair";
  CC_EMPTY_OUTPUT_PLACEHOLDERS: string[];
  CC_AGENT_OUTPUT_TRANSFORM: Fn;
  CC_AGENT_OUTPUT_MAP: Fn;
  CC_AGENT_MAP_TOOLS: Fn;
  CC_AGENT_SYSTEM_PROMPT: string[];
  CC_DEFAULT_AGENT_TOOL_VALIDATE: Fn;
  CC_BANHAMMER_PLACEHOLDER: string;
  CC_AUTOBAN_ENABLED_BY_DEFAULT: boolean;
  CC_PERSIST_ENABLED_BY_DEFAULT: boolean;
  CC_STORAGE_SEARCH_SIMILARITY: number;
}

/** Fields that a setting is the default of, by kind. */
const DEFAULTS: Record<keyof IGlobalConfig, readonly (readonly [string, string])[]> = {
  CC_KEEP_MESSAGES: [["agent", "keepMessages"]],
  CC_MAX_TOOL_CALLS: [["agent", "maxToolCalls"]],
  CC_RESQUE_STRATEGY: [["agent", "rescue"]],
  CC_EMPTY_OUTPUT_PLACEHOLDERS: [["agent", "placeholder"]],
  CC_AGENT_OUTPUT_TRANSFORM: [["agent", "transform"]],
  CC_AGENT_OUTPUT_MAP: [["agent", "map"]],
  CC_AGENT_MAP_TOOLS: [["agent", "mapToolCalls"]],
  CC_AGENT_SYSTEM_PROMPT: [["agent", "systemStatic"]],
  CC_DEFAULT_AGENT_TOOL_VALIDATE: [["tool", "validate"]],
  CC_BANHAMMER_PLACEHOLDER: [["policy", "banMessage"]],
  CC_AUTOBAN_ENABLED_BY_DEFAULT: [["policy", "autoBan"]],
  CC_PERSIST_ENABLED_BY_DEFAULT: [
    ["state", "persist"],
    ["storage", "persist"],
    ["policy", "persist"],
  ],
  CC_STORAGE_SEARCH_SIMILARITY: [["storage", "score"]],
};

const chosen = shared<Partial<IGlobalConfig>>("config", () => ({}));

/**
 * Set defaults for declarations that reach the core from now on; a field of one's own wins.
 *
 * Settings of the kit that are not listed in `IGlobalConfig` have no meaning here: an error says
 * so, where the kit would go on without them.
 */
export function setConfig(config: Partial<IGlobalConfig>): void {
  const unknown = Object.keys(config).filter((name) => !(name in DEFAULTS));
  if (unknown.length > 0) {
    throw new DeclarationError(`setConfig: ${unknown.join(", ")} has no meaning here`, {
      hint: `known: ${Object.keys(DEFAULTS).join(", ")}`,
    });
  }
  Object.assign(chosen, config);
}

/** Return a declaration with the defaults that it does not set itself. */
export function withDefaults<Schema extends object>(kind: string, schema: Schema): Schema {
  const filled: Record<string, unknown> = { ...(schema as Record<string, unknown>) };
  for (const [setting, fields] of Object.entries(DEFAULTS)) {
    const value = chosen[setting as keyof IGlobalConfig];
    for (const [owner, field] of fields) {
      if (owner !== kind || value === undefined || filled[field] !== undefined) continue;
      filled[field] = adapted(setting, value);
    }
  }
  return filled as Schema;
}

function adapted(setting: string, value: unknown): unknown {
  // What the kit calls `recomplete` is what `repair` does: the model is told, and asked again.
  if (setting === "CC_RESQUE_STRATEGY") return value === "recomplete" ? "repair" : value;
  if (setting === "CC_EMPTY_OUTPUT_PLACEHOLDERS") return (value as string[])[0];
  return value;
}
