/** The functions of this program as the core runs them. */

import { UnknownCallbackError } from "../generated/errors.js";
import type { Requests } from "../generated/methods.js";
import type * as Wire from "../generated/wire.js";
import { type CallContext, runInCall } from "./context.js";
import type { AnyFunction, Functions } from "./functions.js";
import type { Link } from "./link.js";

const MOST_PAYLOADS = 1024;

/** What functions need of the core. */
interface Asked {
  link(): Link | null;
  call(
    method: "function/call",
    params: Requests["function/call"]["params"],
  ): Promise<Requests["function/call"]["result"]>;
  log(level: string, logger: string, message: string): void;
}

export class Callbacks {
  /** Whether a message of this program has ever had a payload. */
  hasPayloads = false;
  readonly #functions: Functions;
  readonly #core: Asked;
  readonly #payloads = new Map<string, Promise<unknown>>();

  constructor(functions: Functions, core: Asked) {
    this.#functions = functions;
    this.#core = core;
  }

  /** Run a function within the call that the core makes, and return its value. */
  async run(params: Wire.CallbackInvokeParams, signal: AbortSignal): Promise<unknown> {
    const run = this.#functions.get(params.callback);
    if (run === undefined) {
      throw new UnknownCallbackError(`this program has no function ${params.callback}`);
    }
    const payload = await this.#payloadOf(params.call);
    return runInCall(contextOf(params.call, payload, signal), () =>
      run(...params.args.map((one) => this.#decode(one))),
    );
  }

  /** Lend the core the functions in a value. */
  lend(value: unknown): unknown {
    return hasFunctions(value) ? this.#lendAll(value) : value;
  }

  /** Run a function that only hears of something; what it throws is logged. */
  observe(params: Wire.CallbackNotifyParams): void {
    const run = this.#functions.get(params.callback);
    if (run === undefined) return;
    const failed = (error: unknown): void => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#core.log("error", "wikiswarm", `callback ${params.callback} failed: ${text}`);
    };
    try {
      void Promise.resolve(run(...params.args.map((one) => this.#decode(one)))).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Return the payload of the turn that a call belongs to; asked for once in each turn. */
  async #payloadOf(call: Wire.Call): Promise<unknown> {
    const link = this.#core.link();
    if (!call.runId || link === null || !(this.hasPayloads || !link.isOwn)) return null;
    const known = this.#payloads.get(call.runId);
    if (known !== undefined) return known;
    const asked = { _meta: { callId: call.callId } };
    const payload = link
      .request("verb/getPayload", asked as Wire.GetPayloadParams)
      .catch(() => null);
    this.#payloads.set(call.runId, payload);
    if (this.#payloads.size > MOST_PAYLOADS) {
      this.#payloads.delete(this.#payloads.keys().next().value as string);
    }
    return payload;
  }

  /** Turn a reference to a function of the core into a function. */
  #decode(value: unknown): unknown {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((one) => this.#decode(one));
    const id = (value as { $function?: unknown }).$function;
    if (typeof id === "string") {
      return async (...args: unknown[]) =>
        (await this.#core.call("function/call", { function: id, args })).value;
    }
    return value;
  }

  #lendAll(value: unknown): unknown {
    if (typeof value === "function") return this.#functions.lend(value as AnyFunction);
    if (Array.isArray(value)) return value.map((one) => this.#lendAll(one));
    if (value === null || typeof value !== "object") return value;
    const fields = Object.entries(value).map(([name, one]) => [name, this.#lendAll(one)]);
    return Object.fromEntries(fields);
  }
}

function hasFunctions(value: unknown): boolean {
  if (typeof value === "function") return true;
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some((one) => typeof one === "function");
}

function contextOf(call: Wire.Call, payload: unknown, signal: AbortSignal): CallContext {
  return {
    callId: call.callId,
    clientId: call.clientId ?? null,
    agentName: call.agentName ?? null,
    payload: payload ?? null,
    signal,
  };
}
