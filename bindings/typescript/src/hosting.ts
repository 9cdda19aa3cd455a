/** The exports of one file as functions of the core's declarations; `host` is the program. */

import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { core } from "./core/core.js";
import type { AnyFunction } from "./core/functions.js";
import { DeclarationError } from "./generated/errors.js";
import type { BoundFunction, FunctionBindParams, FunctionBindResult } from "./generated/wire.js";
import { KINDS } from "./kinds.js";
import type {
  IAgentSchema,
  IAgentTool,
  IComputeSchema,
  IEmbeddingSchema,
  IStateSchema,
  IStorageSchema,
} from "./kit/types.js";

type Names<Schema> = Record<string, keyof Schema>;

/** What the kit calls fields whose functions it names otherwise, by kind. */
const KIT_NAMES: Record<string, Record<string, string>> = {
  agent: { validateOutput: "validate", mapMessage: "map" } satisfies Names<IAgentSchema>,
  tool: { validateParams: "validate", getFunction: "function" } satisfies Names<IAgentTool>,
  state: { getDefault: "getDefaultState" } satisfies Names<IStateSchema>,
  storage: { index: "createIndex", getDefault: "getDefaultData" } satisfies Names<IStorageSchema>,
  embedding: { create: "createEmbedding" } satisfies Names<IEmbeddingSchema>,
  compute: { get: "getComputeData" } satisfies Names<IComputeSchema>,
};

/** How often to look whether the core is still there. */
const WATCH_MS = 2_000;

/** Stands in a list where a function of another language is. */
const elsewhere: AnyFunction = () => undefined;

type Fields = Record<string, unknown>;

/** Bind functions of a file, once it is loaded. */
export function binder(file: string): (params: FunctionBindParams) => Promise<FunctionBindResult> {
  const declarations = new Map<string, Fields>();
  return async ({ functions }) => {
    const found = await exportsOf(file);
    const wanted = functions.map((one) => one.export);
    const missing = [...new Set(wanted.filter((name) => !found.has(name)))];
    if (missing.length === 0) {
      for (const one of functions) {
        const key = `${one.kind}:${one.name}`;
        const kind = KINDS.get(one.kind);
        const schema = declarations.get(key) ?? { [kind?.nameField ?? "name"]: one.name };
        declarations.set(key, schema);
        place(schema, one, found.get(one.export) as AnyFunction);
        core.functions.encode(kind?.translate(schema as never), key);
        if (core.functions.get(`${key}.${one.field}`) === undefined) {
          throw new DeclarationError(`${one.field} of a ${one.kind} is no function in Node`);
        }
      }
    }
    return { exports: [...found.keys()].sort(), missing };
  };
}

async function exportsOf(file: string): Promise<Map<string, AnyFunction>> {
  const loaded = (await import(pathToFileURL(file).href)) as Fields;
  const isCommon = loaded.default !== null && typeof loaded.default === "object";
  const every = { ...(isCommon ? (loaded.default as Fields) : {}), ...loaded };
  const functions = Object.entries(every).filter(([, value]) => typeof value === "function");
  return new Map(functions as [string, AnyFunction][]);
}

/** Put a function where the kit has it. */
function place(schema: Fields, { kind, field }: BoundFunction, run: AnyFunction): void {
  const [first = "", second] = field.split(".");
  const name = KIT_NAMES[kind]?.[first] ?? first;
  if (second === undefined) {
    schema[name] = run;
  } else if (/^\d+$/.test(second)) {
    const list = [...((schema[name] as AnyFunction[] | undefined) ?? [])];
    while (list.length <= Number(second)) list.push(elsewhere);
    list[Number(second)] = run;
    schema[name] = list;
  } else {
    schema[name] = { ...(schema[name] as Fields | undefined), [second]: run };
  }
}

/** Serve a file until the core is gone; then this process ends, whatever it still does. */
export async function serve(file: string): Promise<never> {
  core.binds = binder(file);
  await watchParent();
  await core.stay();
  process.exit();
}

/** End this process with its parent, also while a function keeps the event loop to itself. */
async function watchParent(): Promise<void> {
  // Asked for here: until the thread runs, the parent may be another one.
  const watch = `setInterval(() => {
    if (process.ppid !== ${process.ppid}) process.kill(process.pid, "SIGKILL");
  }, ${WATCH_MS});`;
  const worker = new Worker(watch, { eval: true, execArgv: [], stdout: false, stderr: false });
  await once(worker, "online");
  worker.unref();
}
