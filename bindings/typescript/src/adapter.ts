/** Completions of clients that the program brings, and of models that the core reaches. */

import { fromCore } from "./kit/adapters/core.js";
import { fromCortex, fromGrok, fromHf, fromLMStudio, fromOpenAI } from "./kit/adapters/openai.js";
import { fromCohereClientV2, fromOllama } from "./kit/adapters/others.js";
import type { ICompletionArgs } from "./kit/types.js";

export const Adapter = {
  fromCohereClientV2,
  fromCore,
  fromCortex,
  fromGrok,
  fromHf,
  fromLMStudio,
  fromOllama,
  fromOpenAI,
};

/** Several keys or clients that take turns. */
export const RoundRobin = {
  /** Return a function that uses one token after the other. */
  create<Token, Args extends unknown[] = [ICompletionArgs], Result = unknown>(
    tokens: readonly Token[],
    factory: (token: Token) => (...args: Args) => Result,
  ): (...args: Args) => Result {
    const made = new Map<Token, (...args: Args) => Result>();
    let count = 0;
    return (...args) => {
      const token = tokens[count++ % tokens.length];
      if (token === undefined) throw new RangeError("RoundRobin.create needs at least one token");
      const run = made.get(token) ?? factory(token);
      made.set(token, run);
      return run(...args);
    };
  },
};
