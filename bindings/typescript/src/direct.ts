/** Questions outside of a conversation, and checks. */

import { problems } from "./core/catalog.js";
import { core } from "./core/core.js";
import { DeclarationError, UnknownNameError } from "./generated/errors.js";
import { type IModelMessage, messageToWire } from "./kit/messages.js";
import { outlineResult } from "./kit/records.js";
import type { IOutlineResult } from "./kit/types.js";

/** Ask a completion directly; it may not be one for outlines. */
export async function chat(
  completionName: string,
  messages: string | readonly Partial<IModelMessage>[],
): Promise<string> {
  const sent = typeof messages === "string" ? messages : messages.map(messageToWire);
  return core.call("verb/chat", { completionName, messages: sent } as never);
}

/** Let a model fill in an outline. */
// biome-ignore lint/suspicious/noExplicitAny: what the document is, its outline says
export async function json<Data = any>(
  outlineName: string,
  ...params: unknown[]
): Promise<IOutlineResult<Data>> {
  return outlineResult<Data>(await core.call("verb/json", { outlineName, params }));
}

/** Names to check, as enums or lists, by what they name. */
export type ValidateArgs = {
  [Kind in
    | "SwarmName"
    | "AgentName"
    | "ToolName"
    | "CompletionName"
    | "WikiName"
    | "PolicyName"
    | "StateName"
    | "StorageName"
    | "EmbeddingName"
    | "ComputeName"
    | "MCPName"
    | "OutlineName"
    | "AdvisorName"
    | "PipelineName"]?: Record<string, string> | readonly string[];
};

/**
 * Check that names are declared, at once, and then all declarations, in the core.
 *
 * Throws for a name that this program does not declare; the promise is rejected with everything
 * that is wrong with the declarations.
 */
export function validate(names: ValidateArgs = {}): Promise<void> {
  for (const [field, given] of Object.entries(names)) {
    const kind = field.replace(/Name$/, "").toLowerCase();
    for (const name of Object.values(given ?? {})) {
      if (core.catalog.find(kind, name)) continue;
      throw new UnknownNameError(`no ${kind} named '${name}' is declared in this program`, {
        details: { kind, name },
      });
    }
  }
  return core.call("catalog/validate", {}).then(({ issues }) => {
    if (issues.length > 0) throw problems(issues);
  });
}

/** What `validateToolArguments` found. */
export interface IArgumentsResult<Data> {
  success: boolean;
  data?: Data;
  error?: string;
}

/** Check that the required arguments of a tool are there; the core checks the whole schema. */
export function validateToolArguments<Data = Record<string, unknown>>(
  given: unknown,
  schema: { required?: readonly string[] },
): IArgumentsResult<Data> {
  if (given === null || typeof given !== "object") {
    return { success: false, error: "the arguments are no object" };
  }
  const fields = given as Record<string, unknown>;
  const missing = (schema.required ?? []).filter(
    (name) => fields[name] === undefined || fields[name] === null,
  );
  if (missing.length > 0) {
    return { success: false, error: `required arguments are missing: ${missing.join(", ")}` };
  }
  return { success: true, data: given as Data };
}

/** Return a schema in the shape of OpenAI's `response_format`. */
export function toJsonSchema(
  name: string,
  schema: { type: string; [keyword: string]: unknown },
): { type: "json_schema"; json_schema: { name: string; strict: boolean; schema: object } } {
  if (schema.type !== "object") throw new DeclarationError(`the schema ${name} is of no object`);
  return { type: "json_schema", json_schema: { name, strict: true, schema } };
}
