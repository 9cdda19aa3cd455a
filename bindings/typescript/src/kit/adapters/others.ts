/** Adapters of clients with an API of their own: Ollama and Cohere. */

import type { GetCompletion } from "../types.js";
import { openaiMessage } from "./openai.js";

// biome-ignore lint/suspicious/noExplicitAny: the clients' own types differ from version to version
type Any = any;

/** A client such as `new Ollama()`. */
export interface OllamaLike {
  chat(body: Any): PromiseLike<Any>;
}

/** A client such as `new CohereClientV2()`. */
export interface CohereLike {
  chat(body: Any, options?: Any): PromiseLike<Any>;
}

/** Let an `ollama` client answer; `toolProtocol` is a system line for models that need one. */
export function fromOllama(
  client: OllamaLike,
  model = "nemotron-mini:4b",
  toolProtocol?: string,
): GetCompletion {
  return async (args) => {
    const messages: object[] = args.messages.map(({ role, content, tool_calls }) => ({
      role,
      content,
      ...(tool_calls
        ? { tool_calls: tool_calls.map(({ function: one }) => ({ function: one })) }
        : {}),
    }));
    if (toolProtocol && args.tools?.length) {
      messages.unshift({ role: "system", content: toolProtocol });
    }
    const format = args.format?.json_schema.schema;
    const answer = await client.chat({
      model,
      messages,
      stream: false,
      ...(args.tools?.length ? { tools: args.tools } : {}),
      ...(format ? { format } : {}),
    });
    return {
      content: answer.message.content ?? "",
      tool_calls: answer.message.tool_calls ?? [],
      model: `ollama/${model}`,
      usage: { inputTokens: answer.prompt_eval_count ?? 0, outputTokens: answer.eval_count ?? 0 },
    };
  };
}

/** Let a `CohereClientV2` answer. */
export function fromCohereClientV2(client: CohereLike, model = "command-r-08-2024"): GetCompletion {
  return async (args) => {
    const messages = args.messages.map((message) => {
      const { tool_calls, tool_call_id, ...rest } = openaiMessage(message);
      return {
        ...rest,
        ...(tool_calls ? { toolCalls: tool_calls } : {}),
        ...(tool_call_id ? { toolCallId: tool_call_id } : {}),
      };
    });
    const body = { model, messages, ...(args.tools?.length ? { tools: args.tools } : {}) };
    const answer = await client.chat(body, { abortSignal: args.abortSignal });
    const parts: Any[] = answer.message?.content ?? [];
    const tokens = answer.usage?.tokens;
    return {
      content: parts.map((part) => part.text ?? "").join(""),
      tool_calls: answer.message?.toolCalls ?? [],
      model: `cohere/${model}`,
      ...(tokens
        ? {
            usage: {
              inputTokens: tokens.inputTokens ?? 0,
              outputTokens: tokens.outputTokens ?? 0,
            },
          }
        : {}),
    };
  };
}
