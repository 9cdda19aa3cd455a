/** The functions of this program that the core may call, each by an id. */

/** Any function of the program. */
// biome-ignore lint/suspicious/noExplicitAny: functions of any shape are kept here
export type AnyFunction = (...args: any[]) => unknown;

/** A function as it stands in a message. */
export interface FunctionRef {
  $callback: string;
}

/** Keeps functions by ids that say what they are: `tool:find.call`. */
export class Functions {
  readonly #functions = new Map<string, AnyFunction>();
  #count = 0;

  get(id: string): AnyFunction | undefined {
    return this.#functions.get(id);
  }

  /** Keep a function under a name of its own, in place of what was there. */
  keep(id: string, run: AnyFunction): FunctionRef {
    this.#functions.set(id, run);
    return { $callback: id };
  }

  /** Keep a function until the core, or the caller, releases it. */
  lend(run: AnyFunction): FunctionRef {
    return this.keep(`$${++this.#count}`, run);
  }

  release(ids: readonly string[]): void {
    for (const id of ids) this.#functions.delete(id);
  }

  /** Replace every function in a value by its reference; `undefined` fields go. */
  encode(value: unknown, path: string): unknown {
    if (typeof value === "function") return this.keep(path, value as AnyFunction);
    if (Array.isArray(value))
      return value.map((one, index) => this.encode(one, `${path}.${index}`));
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
    if (value === null || typeof value !== "object") return value;
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return Object.fromEntries(
      fields.map(([name, field]) => [name, this.encode(field, `${path}.${name}`)]),
    );
  }
}
