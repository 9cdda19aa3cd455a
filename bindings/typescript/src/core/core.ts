/** The core as this program uses it: connected when first needed, and again when it is lost. */

import { ErrorCodes, ResponseError } from "vscode-jsonrpc/node";
import { ThrownErrors } from "../errors/wire.js";
import type { ConnectionLostError } from "../generated/errors.js";
import type { Notifications, Requests } from "../generated/methods.js";
import type * as Wire from "../generated/wire.js";
import { openTransport, type Transport } from "../wire/transport.js";
import { Callbacks } from "./callbacks.js";
import { Catalog } from "./catalog.js";
import { currentCall } from "./context.js";
import { Functions } from "./functions.js";
import { Limit } from "./limit.js";
import { Link, type LinkEvents } from "./link.js";
import { Mirror } from "./mirror.js";
import { Sessions } from "./sessions.js";
import { shared } from "./shared.js";
import { Subscriptions } from "./subscriptions.js";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
const STABLE_AFTER_MS = 30_000;

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
  readonly #sessions = new Sessions();
  readonly #subscriptions = new Subscriptions();
  readonly #callbacks: Callbacks;
  readonly #limit = new Limit(64);
  #link: Link | null = null;
  #connecting: Promise<Link> | null = null;
  #flushing: Promise<void> | null = null;
  #losses = 0;
  #held = 0;
  #tokens = 0;

  constructor(open: () => Promise<Transport> = openTransport) {
    this.#open = open;
    this.#callbacks = new Callbacks(this.functions, {
      link: () => this.#link,
      call: (method, params) => this.call(method, params),
      log: (...line) => this.log(...line),
    });
  }

  /** Ask the core something, once it knows all declarations and sessions of this program. */
  async call<M extends keyof Requests>(
    method: M,
    params: Requests[M]["params"],
    signal?: AbortSignal,
  ): Promise<Requests[M]["result"]> {
    if ((params as { payload?: unknown }).payload != null) {
      this.#callbacks.hasPayloads = true;
    }
    return this.#holding(async () => {
      const link = await this.ready();
      await this.#sessions.opened(params as { clientId?: unknown; swarmName?: unknown });
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
    this.#sessions.add(params);
  }

  /** Whether this program has opened a session and not closed it. */
  hasOpen(clientId: string, swarmName?: string): boolean {
    return this.#sessions.has(clientId, swarmName);
  }

  /** Close a session; what never reached the core is only forgotten. */
  async dispose(clientId: string, swarmName: string): Promise<void> {
    const session = this.#sessions.remove(clientId, swarmName);
    if (session === undefined) return;
    if (session.params.connector) this.functions.release([session.params.connector.$callback]);
    const link = session.link;
    if (link === null || !link.isOpen) return;
    await this.#holding(async () => {
      await session.opened.catch(() => undefined);
      await this.#request(link, "session/dispose", { clientId, swarmName });
    });
  }

  /** Listen to events from the next question to the core on. */
  subscribe(
    params: Wire.SubscribeParams,
    heard: (event: Notifications["event"]) => void,
  ): () => void {
    const stop = this.#subscriptions.add(params, heard);
    if (this.#link?.isOpen) this.ready().catch(() => undefined);
    return stop;
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
    return this.#callbacks.lend(await this.#holding(() => this.#callbacks.run(params, signal)));
  }

  async bind(params: Wire.FunctionBindParams): Promise<Wire.FunctionBindResult> {
    if (this.binds !== null) return this.binds(params);
    throw new ResponseError(ErrorCodes.MethodNotFound, "this program declares by itself");
  }

  notified<N extends keyof Notifications>(method: N, params: Notifications[N]): void {
    if (method === "session/changed") {
      this.mirror.changed(params as Notifications["session/changed"]);
    } else if (method === "event") {
      this.#subscriptions.heard(params as Notifications["event"]);
    } else if (method === "callback/notify") {
      this.#callbacks.observe(params as Notifications["callback/notify"]);
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
    const isNeeded = this.#subscriptions.size > 0 || this.#sessions.haveConnectors;
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
    const parts = [this.catalog, this.#subscriptions, this.#sessions];
    return parts.some((one) => one.isBehind(link));
  }

  async #flush(link: Link): Promise<void> {
    await this.catalog.send(link);
    await this.#subscriptions.send(link);
    this.#sessions.send(link);
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
}

/** The core of this process. */
export const core = shared("core", () => new Core());

// `wikiswarm run` is to this program what a terminal is: when it is gone, so is the program.
if (process.env.WIKISWARM_RUN) {
  delete process.env.WIKISWARM_RUN;
  core.whenLost = () => process.kill(process.pid, "SIGTERM");
}
