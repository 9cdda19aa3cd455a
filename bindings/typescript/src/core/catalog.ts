/** The declarations of this program: kept here, sent to the core before its first question. */

import { DuplicateNameError, UnknownNameError, ValidationError } from "../generated/errors.js";
import type * as Wire from "../generated/wire.js";
import type { Functions } from "./functions.js";
import type { Link } from "./link.js";

/** A declaration as the program made it. */
export interface Entry {
  /** What it is on the wire: a kind, or a template of a tool. */
  kind: string;
  /** The kind whose names it shares. */
  registry: string;
  name: string;
  /** As the program wrote it, with what was overridden since. */
  schema: object;
  /** Return its fields on the wire, with functions in place. */
  translate: () => Record<string, unknown>;
  /** The connection that knows it. */
  sentOn: object | null;
}

export class Catalog {
  readonly #entries = new Map<string, Entry>();
  readonly #leftOn = new Map<string, object>();
  readonly #functions: Functions;

  constructor(functions: Functions) {
    this.#functions = functions;
  }

  /** Add a declaration; the name is taken at once. */
  add(entry: Omit<Entry, "sentOn">): void {
    const key = `${entry.registry}:${entry.name}`;
    if (this.#entries.has(key)) {
      throw new DuplicateNameError(
        `${entry.registry} '${entry.name}' is declared already; declare each name once`,
        { details: { kind: entry.registry, name: entry.name } },
      );
    }
    this.#entries.set(key, { ...entry, sentOn: null });
  }

  /** Take a declaration back; the core, which cannot, is given what comes in its place. */
  remove(registry: string, name: string): void {
    const key = `${registry}:${name}`;
    const link = this.#entries.get(key)?.sentOn;
    if (link) this.#leftOn.set(key, link);
    this.#entries.delete(key);
  }

  find(registry: string, name: string): Entry | undefined {
    return this.#entries.get(`${registry}:${name}`);
  }

  /** Return what a name of this program was declared as. */
  get(registry: string, name: string): Entry {
    const found = this.find(registry, name);
    if (found) return found;
    throw new UnknownNameError(`no ${registry} named '${name}' is declared in this program`, {
      details: { kind: registry, name },
    });
  }

  /** Whether a connection lacks declarations. */
  isBehind(link: object): boolean {
    for (const entry of this.#entries.values()) if (entry.sentOn !== link) return true;
    return false;
  }

  /** Tell a connection what it lacks, in the order of declaration. */
  async send(link: Link): Promise<void> {
    const missing = [...this.#entries.values()].filter((entry) => entry.sentOn !== link);
    const entries = missing.filter((entry) => !this.#isLeftOn(entry, link));
    if (entries.length > 0) {
      // The core checks them field by field, and says all that is wrong with them.
      const declarations = entries.map(
        (entry) => this.encode(entry) as unknown as Wire.ToolDeclaration,
      );
      const { issues } = await link.request("catalog/declare", { declarations });
      if (issues.length > 0) throw problems(issues);
      for (const entry of entries) entry.sentOn = link;
    }
    for (const entry of missing.filter((one) => this.#isLeftOn(one, link))) {
      const { kind: _kind, ...fields } = this.encode(entry);
      await link.request("catalog/override", { kind: entry.registry, name: entry.name, fields });
      entry.sentOn = link;
    }
  }

  /** Return a declaration as it is sent. */
  encode(entry: Entry): Record<string, unknown> {
    const fields = this.#functions.encode(entry.translate(), `${entry.registry}:${entry.name}`);
    return { ...(fields as Record<string, unknown>), kind: entry.kind };
  }

  /** Whether a connection still has an earlier declaration of a name. */
  #isLeftOn(entry: Entry, link: object): boolean {
    return this.#leftOn.get(`${entry.registry}:${entry.name}`) === link;
  }
}

/** Return the error that says everything that is wrong with a batch. */
export function problems(issues: readonly Wire.Issue[]): ValidationError {
  const lines = issues.map((one) => {
    const hint = one.hint ? ` (${one.hint})` : "";
    return `  ${one.path || `${one.kind} ${one.name}`}: ${one.message}${hint}`;
  });
  const count = `${issues.length} problem${issues.length === 1 ? "" : "s"}`;
  return new ValidationError(`${count}\n${lines.join("\n")}`, { details: { issues } });
}
