/** `Adapter.fromCore`: a model that the core reaches by itself. */

import { DeclarationError } from "../../generated/errors.js";
import type { GetCompletion, ICompletionSchema } from "../types.js";

/** Marks a completion that is no function of this program. */
export const CORE_MODEL: unique symbol = Symbol("wikiswarm.coreModel");

/** How the core reaches a model. */
export type CoreModel = Partial<
  Omit<ICompletionSchema, "completionName" | "getCompletion" | "callbacks" | "json">
>;

/**
 * Let the core call a model, such as `openai/gpt-5` or `cohere/command-a-03-2025`.
 *
 * Args:
 *   model: The reference of the model.
 *   options: Further fields of the completion, such as `temperature` or `apiKeyEnv`.
 */
export function fromCore(model: string, options: Omit<CoreModel, "model"> = {}): GetCompletion {
  const refuse: GetCompletion = () => {
    throw new DeclarationError(`${model} runs in the core; pass it as getCompletion only`);
  };
  return Object.assign(refuse, { [CORE_MODEL]: { model, ...options } });
}
