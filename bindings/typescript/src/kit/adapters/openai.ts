/** Adapters of clients that speak OpenAI's chat completions. */

import type { ICompletionOutput, IModelMessage } from "../messages.js";
import type { GetCompletion, ICompletionArgs } from "../types.js";

// biome-ignore lint/suspicious/noExplicitAny: the clients' own types differ from version to version
type Any = any;

/** A client such as `new OpenAI()`. */
export interface OpenAILike {
  chat: { completions: { create(body: Any, options?: Any): PromiseLike<Any> } };
}

/** A client such as `new HfInference()`. */
export interface HfLike {
  chatCompletion(body: Any, options?: Any): PromiseLike<Any>;
}

/** How an answer has to look, as the OpenAI API takes it. */
export type ResponseFormat = { type: string; [field: string]: unknown };

/** Let an `openai` client answer, in this process. */
export function fromOpenAI(
  client: OpenAILike,
  model = "gpt-4o-mini",
  responseFormat?: ResponseFormat,
): GetCompletion {
  return chatCompletions(client, "openai", model, responseFormat);
}

/** Let an `openai` client of an LM Studio server answer. */
export function fromLMStudio(
  client: OpenAILike,
  model = "local-model",
  responseFormat?: ResponseFormat,
): GetCompletion {
  return chatCompletions(client, "lmstudio", model, responseFormat);
}

/** Let an `openai` client of xAI answer. */
export function fromGrok(client: OpenAILike, model = "grok-3-mini"): GetCompletion {
  return chatCompletions(client, "xai", model);
}

/** Let a Hugging Face inference client answer. */
export function fromHf(client: HfLike, model = "openai/gpt-oss-120b"): GetCompletion {
  return async (args) => {
    const body = { model, ...requestOf(args) };
    const answer = await client.chatCompletion(body, { signal: args.abortSignal });
    return outputOf(answer, `huggingface/${model}`);
  };
}

/** Let a Cortex server, or any other with OpenAI's API, answer over HTTP. */
export function fromCortex(model: string, baseUrl = "http://localhost:39281/v1"): GetCompletion {
  const url = `${baseUrl.replace(/\/+$/, "")}/chat/completions`;
  return async (args) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, ...requestOf(args) }),
      signal: args.abortSignal,
    });
    if (!response.ok) throw new Error(`${url} answered ${response.status} ${response.statusText}`);
    return outputOf(await response.json(), `cortex/${model}`);
  };
}

function chatCompletions(
  client: OpenAILike,
  provider: string,
  model: string,
  responseFormat?: ResponseFormat,
): GetCompletion {
  return async (args) => {
    const body = { model, ...requestOf(args, responseFormat) };
    const answer = await client.chat.completions.create(body, { signal: args.abortSignal });
    return outputOf(answer, `${provider}/${model}`);
  };
}

function requestOf(args: ICompletionArgs, format?: ResponseFormat): Record<string, unknown> {
  const chosen = format ?? args.format;
  return {
    messages: args.messages.map(openaiMessage),
    ...(args.tools?.length ? { tools: args.tools } : {}),
    ...(chosen ? { response_format: chosen } : {}),
  };
}

/** Return a message as the OpenAI API takes it. */
export function openaiMessage(message: IModelMessage): Record<string, unknown> {
  const { role, content, tool_calls, tool_call_id } = message;
  if (tool_calls?.length) {
    return {
      role,
      content: content || null,
      tool_calls: tool_calls.map((call) => ({
        id: call.id,
        type: "function",
        function: {
          name: call.function.name,
          arguments: JSON.stringify(call.function.arguments),
        },
      })),
    };
  }
  return { role, content, ...(tool_call_id ? { tool_call_id } : {}) };
}

function outputOf(answer: Any, model: string): ICompletionOutput {
  const message = answer?.choices?.[0]?.message;
  if (!message) throw new Error(`${model} returned no message`);
  return {
    content: message.content ?? "",
    tool_calls: message.tool_calls ?? [],
    model,
    ...(message.reasoning_content ? { reasoning: message.reasoning_content } : {}),
    ...(answer.usage
      ? {
          usage: {
            inputTokens: answer.usage.prompt_tokens ?? 0,
            outputTokens: answer.usage.completion_tokens ?? 0,
          },
        }
      : {}),
  };
}
