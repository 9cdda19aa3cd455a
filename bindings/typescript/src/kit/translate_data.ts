/** Turns the other kinds of declarations into the core's fields. */

import { messageToWire } from "./messages.js";
import {
  type OutlineContext,
  outlineArgs,
  outlineResult,
  type ToolContext,
  toolDto,
} from "./records.js";
import { type Fields, toError } from "./translate.js";
import type {
  Fn,
  IAdvisorSchema,
  IComputeSchema,
  IEmbeddingSchema,
  IMCPSchema,
  IOutlineSchema,
  IPipelineSchema,
  IPolicySchema,
  IStateSchema,
  IStorageSchema,
} from "./types.js";

export function policyFields(schema: IPolicySchema): Fields {
  return { ...schema };
}

export function stateFields(schema: IStateSchema): Fields {
  const { getDefaultState, setState, ...rest } = schema;
  return {
    ...rest,
    getDefault: getDefaultState,
    setState:
      setState &&
      ((clientId: string, name: string, value: unknown) => setState(value, clientId, name)),
  };
}

export function storageFields(schema: IStorageSchema): Fields {
  const { createIndex, getDefaultData, setData, ...rest } = schema;
  return {
    ...rest,
    index: createIndex,
    getDefault: getDefaultData,
    setData:
      setData &&
      ((clientId: string, name: string, items: unknown[]) => setData(items, clientId, name)),
  };
}

export function embeddingFields(schema: IEmbeddingSchema): Fields {
  const { createEmbedding, calculateSimilarity, callbacks, ...rest } = schema;
  const { readEmbeddingCache, writeEmbeddingCache, embeddingName } = schema;
  const onCreate = callbacks?.onCreate;
  return {
    ...rest,
    create:
      createEmbedding &&
      ((texts: string[]) => Promise.all(texts.map((one) => createEmbedding(one, embeddingName)))),
    getSimilarity: calculateSimilarity,
    readEmbeddingCache:
      readEmbeddingCache &&
      (async (hashes: string[], name: string) => {
        const found: Record<string, number[]> = {};
        for (const hash of hashes) {
          const vector = await readEmbeddingCache(name, hash);
          if (vector) found[hash] = vector;
        }
        return found;
      }),
    writeEmbeddingCache:
      writeEmbeddingCache &&
      (async (vectors: Record<string, number[]>, name: string) => {
        for (const [hash, vector] of Object.entries(vectors)) {
          await writeEmbeddingCache(vector, name, hash);
        }
      }),
    callbacks: callbacks && {
      onCompare: callbacks.onCompare,
      onCreate:
        onCreate &&
        (async (texts: string[], vectors: number[][], name: string) => {
          for (const [index, text] of texts.entries()) {
            await onCreate(text, vectors[index] ?? [], name);
          }
        }),
    },
  };
}

export function computeFields(schema: IComputeSchema): Fields {
  const { getComputeData, ttl, ...rest } = schema;
  return { ...rest, get: getComputeData, ttl: ttl === undefined ? undefined : ttl / 1000 };
}

export function mcpFields(schema: IMCPSchema): Fields {
  const { callTool, callbacks, ...rest } = schema;
  const onCall = callbacks?.onCall;
  return {
    ...rest,
    callTool:
      callTool &&
      (async (toolName: string, context: ToolContext) =>
        (await callTool(toolName, toolDto(context))) ?? ""),
    callbacks: callbacks && {
      ...callbacks,
      onCall:
        onCall && ((toolName: string, context: ToolContext) => onCall(toolName, toolDto(context))),
    },
  };
}

export function outlineFields(schema: IOutlineSchema): Fields {
  const { getOutlineHistory, validations, callbacks, ...rest } = schema;
  const told = callbacks ?? {};
  const withResult = (run: Fn | undefined) =>
    run && ((result: Parameters<typeof outlineResult>[0]) => run(outlineResult(result)));
  return {
    ...rest,
    getOutlineHistory:
      getOutlineHistory &&
      (async (context: OutlineContext) => {
        const messages = await getOutlineHistory(outlineArgs(context), ...context.params);
        return messages.map(messageToWire);
      }),
    validations: validations?.map((one) => {
      const validate = typeof one === "function" ? one : one.validate;
      return async (data: unknown) => {
        try {
          const said = await validate({ data });
          return typeof said === "string" ? said : null;
        } catch (error) {
          // What it throws is the reason that the model is told.
          return (error instanceof Error && error.message) || String(error);
        }
      };
    }),
    callbacks: callbacks && {
      onAttempt:
        told.onAttempt && ((context: OutlineContext) => told.onAttempt?.(outlineArgs(context))),
      onDocument:
        told.onDocument &&
        ((document: unknown, context: OutlineContext) =>
          told.onDocument?.(document, outlineArgs(context))),
      onValidDocument: withResult(told.onValidDocument),
      onInvalidDocument: withResult(told.onInvalidDocument),
    },
  };
}

export function advisorFields(schema: IAdvisorSchema<never>): Fields {
  return { ...schema };
}

export function pipelineFields(schema: IPipelineSchema): Fields {
  const { callbacks, ...rest } = schema;
  const onError = callbacks?.onError;
  return {
    ...rest,
    callbacks: callbacks && {
      ...callbacks,
      onError:
        onError &&
        ((clientId: string, name: string, agent: string, payload: unknown, error: unknown) =>
          onError(clientId, name, agent, payload, toError(error))),
    },
  };
}
