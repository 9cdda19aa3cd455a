/** The core as this program uses it: connected when first needed, and again when it is lost. */

import { ErrorCodes, ResponseError } from "vscode-jsonrpc/node";
import { ThrownErrors } from "../errors/wire.js";
import { ConnectionLostError, SessionError, UnknownCallbackError } from "../generated/errors.js";
import type { Notifications, Requests } from "../generated/methods.js";
import type * as Wire from "../generated/wire.js";
import { openTransport, type Transport } from "../wire/transport.js";
import { Catalog, problems } from "./catalog.js";
import { type CallContext, currentCall, runInCall } from "./context.js";
import { type AnyFunction, Functions } from "./functions.js";
import { Limit } from "./limit.js";
import { Link, type LinkEvents } from "./link.js";
import { Mirror } from "./mirror.js";
import { shared } from "./shared.js";

/** A session that this program has open, whichever connection it is open on. */
interface OpenSession {
  params: Wire.SessionOpenParams;
  link: Link | null;
  opened: Promise<unknown>;
  isRefused: boolean;
}

/** Events that this program listens to. */
export interface Subscription {
  params: Wire.SubscribeParams;
  heard: (event: Notifications["event"]) => void;
  link: Link | null;
  id: string | null;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
const STABLE_AFTER_MS = 30_000;
const MOST_PAYLOADS = 1024;

type Log = (level: string, logger: string, message: string) => void;

export class Core implements LinkEvents {
  readonly functions = new Functions();
  readonly catalog = new Catalog(this.functions);
  readonly mirror = new Mirror();
  /** Hears of lines for the log. */
  log: Log = (level, logger, message) => {
    if (level === "error" || level === "warning") process.stderr.write(`${logger}: ${message}\n`);
  };
  /** Answers `function/bind`; only a program that is one file of functions has it. */
  binds: ((params: Wire.FunctionBindParams) => Promise<Wire.FunctionBindResult>) | null = null;
  /** Hears that the core is gone. */
  whenLost: (() => void) | null = null;
  readonly #errors = new ThrownErrors();
  readonly #open: () => Promise<Transport>;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #limit = new Limit(64);
  #link: Link | null = null;
  #connecting: Promise<Link> | null = null;
  #flushing: Promise<void> | null = null;
  #losses = 0;
  #held = 0;
  #tokens = 0;
  /** Whether a message of this program has ever had a payload. */
  #hasPayloads = false;
  readonly #payloads = new Map<string, Promise<unknown>>();

  constructor(open: () => Promise<Transport> = openTransport) {
    this.#open = open;
  }

  /** Ask the core something, once it knows all declarations and sessions of this program. */
  async call<M extends keyof Requests>(
    method: M,
    params: Requests[M]["params"],
    signal?: AbortSignal,
  ): Promise<Requests[M]["result"]> {
    if ((params as { payload?: unknown }).payload != null) this.#hasPayloads = true;
    return this.#holding(async () => {
      const link = await this.ready();
      await this.#opened(params as { clientId?: unknown; swarmName?: unknown });
      return this.#request(link, method, params, signal);
    });
  }

  /** Connect, and tell the core what it does not know yet. */
  async ready(): Promise<Link> {
    const link = await this.#connect();
    // Those that come meanwhile wait for the same, so that nobody overtakes.
    while (link.isOpen && (this.#flushing !== null || this.#isBehind(link))) {
      this.#flushing ??= this.#flush(link).finally(() => {
        this.#flushing = null;
      });
      await this.#flushing;
    }
    return link;
  }

  /** Connect, and keep the process alive until the core is gone. */
  async stay(): Promise<void> {
    await this.#holding(async () => {
      await this.ready();
      await new Promise<void>((gone) => {
        this.whenLost = gone;
      });
    });
  }

  /** Open a session with the next question to the core; `hasSession` knows it at once. */
  open(params: Wire.SessionOpenParams): void {
    const key = sessionKey(params.clientId, params.swarmName);
    if (this.#sessions.get(key)?.isRefused === false) {
      throw new SessionError(
        `session of client '${params.clientId}' in swarm '${params.swarmName}' is open already`,
        { details: { clientId: params.clientId, swarmName: params.swarmName } },
      );
    }
    this.#sessions.set(key, {
      params,
      link: null,
      opened: Promise.resolve(),
      isRefused: false,
    });
  }

  /** Whether this program has opened a session and not closed it. */
  hasOpen(clientId: string, swarmName?: string): boolean {
    for (const { params, isRefused } of this.#sessions.values()) {
      const isNamed = swarmName === undefined || params.swarmName === swarmName;
      if (params.clientId === clientId && isNamed && !isRefused) return true;
    }
    return false;
  }

  /** Close a session; what never reached the core is only forgotten. */
  async dispose(clientId: string, swarmName: string): Promise<void> {
    const key = sessionKey(clientId, swarmName);
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    this.#sessions.delete(key);
    if (session.params.connector) this.functions.release([session.params.connector.$callback]);
    const link = session.link;
    if (link === null || !link.isOpen) return;
    await this.#holding(async () => {
      await session.opened.catch(() => undefined);
      await this.#request(link, "session/dispose", { clientId, swarmName });
    });
  }

  /** Listen to events from the next question to the core on. */
  subscribe(params: Wire.SubscribeParams, heard: Subscription["heard"]): () => void {
    const subscription: Subscription = { params, heard, link: null, id: null };
    this.#subscriptions.add(subscription);
    if (this.#link?.isOpen) this.ready().catch(() => undefined);
    return () => {
      this.#subscriptions.delete(subscription);
      const { link, id } = subscription;
      if (id !== null && link?.isOpen) {
        link.request("events/unsubscribe", { subscriptionId: id }).catch(() => undefined);
      }
    };
  }

  /** Name a stream of progress and hear of it. */
  async onProgress(run: (value: Record<string, unknown>) => void): Promise<[string, () => void]> {
    const token = `progress-${++this.#tokens}`;
    return [token, (await this.ready()).onProgress(token, run)];
  }

  /** End the connection, and with it a core that this program started. */
  async close(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    this.#sessions.clear();
    this.mirror.clear();
    if (link?.isOpen) {
      link.hold(true);
      await link.request("shutdown", {}).catch(() => undefined);
      link.close();
    }
  }

  async invoke(params: Wire.CallbackInvokeParams, signal: AbortSignal): Promise<unknown> {
    const run = this.functions.get(params.callback);
    if (run === undefined) {
      throw new UnknownCallbackError(`this program has no function ${params.callback}`);
    }
    const value = await this.#holding(async () => {
      const payload = await this.#payloadOf(params.call);
      return runInCall(contextOf(params.call, payload, signal), () =>
        run(...params.args.map((one) => this.#decode(one))),
      );
    });
    return hasFunctions(value) ? this.#lendAll(value) : value;
  }

  async bind(params: Wire.FunctionBindParams): Promise<Wire.FunctionBindResult> {
    if (this.binds !== null) return this.binds(params);
    throw new ResponseError(ErrorCodes.MethodNotFound, "this program declares by itself");
  }

  notified<N extends keyof Notifications>(method: N, params: Notifications[N]): void {
    if (method === "session/changed") {
      this.mirror.changed(params as Notifications["session/changed"]);
    } else if (method === "event") {
      const event = params as Notifications["event"];
      for (const one of this.#subscriptions) if (one.id === event.subscriptionId) one.heard(event);
    } else if (method === "callback/notify") {
      this.#observe(params as Notifications["callback/notify"]);
    } else if (method === "callback/release") {
      this.functions.release((params as Notifications["callback/release"]).callbacks);
    } else if (method === "log") {
      const line = params as Notifications["log"];
      this.log(line.level, line.logger, line.message);
    }
  }

  lost(link: Link, _error: ConnectionLostError): void {
    if (this.#link !== link) return;
    this.#link = null;
    this.mirror.clear();
    this.#losses = Date.now() - link.openedAt > STABLE_AFTER_MS ? 1 : this.#losses + 1;
    const isNeeded =
      this.#subscriptions.size > 0 ||
      [...this.#sessions.values()].some(({ params }) => params.connector);
    // Somebody waits for what the core says by itself.
    if (isNeeded) this.ready().catch(() => undefined);
    this.whenLost?.();
  }

  async #connect(): Promise<Link> {
    if (this.#link?.isOpen) return this.#link;
    this.#connecting ??= this.#reconnect().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #reconnect(): Promise<Link> {
    if (this.#losses > 0) {
      const delay = Math.min(FIRST_DELAY_MS * 2 ** (this.#losses - 1), LONGEST_DELAY_MS);
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
    try {
      const link = await Link.open(await this.#open(), this, this.#errors);
      this.#link = link;
      this.#limit.most = Math.max(1, link.limits.maxInFlight);
      link.hold(this.#held > 0);
      return link;
    } catch (error) {
      this.#losses += 1;
      throw error;
    }
  }

  #isBehind(link: Link): boolean {
    if (this.catalog.isBehind(link)) return true;
    for (const one of this.#subscriptions) if (one.link !== link) return true;
    for (const one of this.#sessions.values()) if (one.link !== link) return true;
    return false;
  }

  async #flush(link: Link): Promise<void> {
    const missing = this.catalog.missing(link);
    const entries = missing.filter((entry) => !this.catalog.isLeftOn(entry, link));
    if (entries.length > 0) {
      // The core checks them field by field, and says all that is wrong with them.
      const declarations = entries.map(
        (entry) => this.catalog.encode(entry) as unknown as Wire.ToolDeclaration,
      );
      const { issues } = await link.request("catalog/declare", { declarations });
      if (issues.length > 0) throw problems(issues);
      for (const entry of entries) entry.sentOn = link;
    }
    for (const entry of missing.filter((one) => this.catalog.isLeftOn(one, link))) {
      const { kind: _kind, ...fields } = this.catalog.encode(entry);
      await link.request("catalog/override", { kind: entry.registry, name: entry.name, fields });
      entry.sentOn = link;
    }
    for (const one of this.#subscriptions) {
      if (one.link === link) continue;
      one.link = link;
      one.id = (await link.request("events/subscribe", one.params)).subscriptionId;
    }
    for (const session of this.#sessions.values()) {
      if (session.link === link) continue;
      session.link = link;
      session.isRefused = false;
      session.opened = link.request("session/open", session.params).catch((error: unknown) => {
        // What is asked of a session that the core refused fails for the same reason.
        session.isRefused = !(error instanceof ConnectionLostError);
        throw error;
      });
      session.opened.catch(() => undefined);
    }
  }

  async #opened({
    clientId,
    swarmName,
  }: {
    clientId?: unknown;
    swarmName?: unknown;
  }): Promise<void> {
    if (typeof clientId !== "string") return;
    for (const { params, opened } of [...this.#sessions.values()]) {
      const isNamed = typeof swarmName !== "string" || params.swarmName === swarmName;
      if (params.clientId === clientId && isNamed) await opened;
    }
  }

  async #request<M extends keyof Requests>(
    link: Link,
    method: M,
    params: Requests[M]["params"],
    signal?: AbortSignal,
  ): Promise<Requests[M]["result"]> {
    const call = currentCall();
    if (call === undefined) return this.#limit.run(() => link.request(method, params, signal));
    // What a function asks that the core waits for must not wait for others.
    const nested = { ...params, _meta: { callId: call.callId } };
    return link.request(method, nested, signal ?? call.signal);
  }

  async #holding<T>(work: () => Promise<T>): Promise<T> {
    this.#held += 1;
    if (this.#held === 1) this.#link?.hold(true);
    try {
      return await work();
    } finally {
      this.#held -= 1;
      if (this.#held === 0) this.#link?.hold(false);
    }
  }

  /** Return the payload of the turn that a call belongs to; asked for once in each turn. */
  async #payloadOf(call: Wire.Call): Promise<unknown> {
    const link = this.#link;
    if (!call.runId || link === null || !(this.#hasPayloads || !link.isOwn)) return null;
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

  #observe(params: Wire.CallbackNotifyParams): void {
    const run = this.functions.get(params.callback);
    if (run === undefined) return;
    const failed = (error: unknown): void => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.log("error", "wikiswarm", `callback ${params.callback} failed: ${text}`);
    };
    try {
      void Promise.resolve(run(...params.args.map((one) => this.#decode(one)))).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Turn a reference to a function of the core into a function. */
  #decode(value: unknown): unknown {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((one) => this.#decode(one));
    const id = (value as { $function?: unknown }).$function;
    if (typeof id === "string") {
      return async (...args: unknown[]) =>
        (await this.call("function/call", { function: id, args })).value;
    }
    return value;
  }

  #lendAll(value: unknown): unknown {
    if (typeof value === "function") return this.functions.lend(value as AnyFunction);
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

function sessionKey(clientId: string, swarmName: string): string {
  return `${swarmName}\0${clientId}`;
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

/** The core of this process. */
export const core = shared("core", () => new Core());

// `wikiswarm run` is to this program what a terminal is: when it is gone, so is the program.
if (process.env.WIKISWARM_RUN) {
  delete process.env.WIKISWARM_RUN;
  core.whenLost = () => process.kill(process.pid, "SIGTERM");
}
