/** One connection to the core: the handshake, requests, and the calls that the core makes. */

import {
  type CancellationToken,
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
  NullLogger,
  ParameterStructures,
  ProgressType,
  ResponseError,
} from "vscode-jsonrpc/node";
import type { ThrownErrors } from "../errors/wire.js";
import {
  CancelledError,
  ConnectionLostError,
  UnsupportedProtocolError,
} from "../generated/errors.js";
import { type Notifications, PROTOCOL, type Requests } from "../generated/methods.js";
import type * as Wire from "../generated/wire.js";
import type { Transport } from "../wire/transport.js";
import { withUniqueIds } from "../wire/unique.js";

/** What a connection tells its owner. */
export interface LinkEvents {
  /** Answer a `callback/invoke`. */
  invoke(params: Wire.CallbackInvokeParams, signal: AbortSignal): Promise<unknown>;
  /** Answer a `function/bind`. */
  bind(params: Wire.FunctionBindParams): Promise<Wire.FunctionBindResult>;
  /** Hear of a notification. */
  notified<N extends keyof Notifications>(method: N, params: Notifications[N]): void;
  /** The connection ended, not by `close`. */
  lost(link: Link, error: ConnectionLostError): void;
}

/** How long a core may take to start and to say who it is. */
const PATIENCE_MS = 120_000;

const NOTIFICATIONS = [
  "callback/notify",
  "callback/release",
  "event",
  "log",
  "session/changed",
] as const;

/** What this package says about itself. */
const PROGRAM = {
  name: "wikiswarm",
  version: "0.1.0",
  language: "typescript",
  runtime: `node ${process.versions.node}`,
};

/** A connection after its handshake. */
export class Link {
  readonly #connection: MessageConnection;
  readonly #transport: Transport;
  readonly #events: LinkEvents;
  readonly #errors: ThrownErrors;
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #calls = new Set<AbortController>();
  #lost: ConnectionLostError | null = null;
  #isClosing = false;
  #limits: Wire.Limits = { maxMessageBytes: 0, maxInFlight: 64, resumeWindowMs: 0 };
  readonly openedAt = Date.now();

  private constructor(transport: Transport, events: LinkEvents, errors: ThrownErrors) {
    this.#transport = transport;
    this.#events = events;
    this.#errors = errors;
    const { reader, writer } = withUniqueIds(transport.reader, transport.writer);
    this.#connection = createMessageConnection(reader, writer, NullLogger);
    this.#connection.onRequest("callback/invoke", (params: Wire.CallbackInvokeParams, token) =>
      this.#invoke(params, token),
    );
    this.#connection.onRequest("function/bind", async (params: Wire.FunctionBindParams) => {
      try {
        return await events.bind(params);
      } catch (error) {
        throw error instanceof ResponseError ? error : errors.toWire(error);
      }
    });
    for (const method of NOTIFICATIONS) {
      this.#connection.onNotification(method, (params) => events.notified(method, params));
    }
    this.#connection.onClose(() => void transport.reason().then((reason) => this.#end(reason)));
    this.#connection.onError(([error]) =>
      this.#end(`the connection to the core broke: ${error.message}`),
    );
  }

  /**
   * Shake hands over a transport.
   *
   * @throws UnsupportedProtocolError The core speaks another version, or something else.
   * @throws ConnectionLostError The core is gone, or says nothing for too long.
   */
  static async open(
    transport: Transport,
    events: LinkEvents,
    errors: ThrownErrors,
    patienceMs = PATIENCE_MS,
  ): Promise<Link> {
    const link = new Link(transport, events, errors);
    link.#connection.listen();
    const { token, canResume = false } = transport;
    const late = setTimeout(
      () => link.#end(`the core said nothing for ${patienceMs / 1000} s`),
      patienceMs,
    );
    try {
      const result = await link.request("initialize", {
        protocol: PROTOCOL,
        minProtocol: PROTOCOL,
        program: PROGRAM,
        capabilities: { streaming: true, resume: canResume },
        ...(token === undefined ? {} : { token }),
      });
      link.#welcomed(result);
      transport.writer.limit = result.limits.maxMessageBytes;
    } catch (error) {
      link.close();
      throw error;
    } finally {
      clearTimeout(late);
    }
    return link;
  }

  get isOpen(): boolean {
    return this.#lost === null && !this.#isClosing;
  }

  /** Whether the core is there for this program alone. */
  get isOwn(): boolean {
    return this.#transport.isOwn;
  }

  get limits(): Wire.Limits {
    return this.#limits;
  }

  /** Keep the process alive for this connection, or not. */
  hold(isHeld: boolean): void {
    this.#transport.hold(isHeld);
  }

  /** Send a request and return its answer; it is rejected as soon as the core is gone. */
  async request<M extends keyof Requests>(
    method: M,
    params: Requests[M]["params"],
    signal?: AbortSignal,
  ): Promise<Requests[M]["result"]> {
    if (this.#lost !== null) throw this.#lost;
    if (signal?.aborted) throw new CancelledError(`${method} was cancelled`);
    const source = signal === undefined ? undefined : new CancellationTokenSource();
    let stop: () => void = () => undefined;
    const gone = new Promise<never>((_resolve, reject) => {
      const onAbort = (): void => {
        source?.cancel();
        reject(new CancelledError(`${method} was cancelled`));
      };
      this.#waiting.add(reject);
      signal?.addEventListener("abort", onAbort, { once: true });
      stop = () => {
        this.#waiting.delete(reject);
        signal?.removeEventListener("abort", onAbort);
      };
    });
    try {
      const token = source === undefined ? [] : [source.token];
      const sent = this.#connection.sendRequest<Requests[M]["result"]>(
        method,
        ParameterStructures.byName,
        params,
        ...token,
      );
      sent.catch(() => undefined);
      return await Promise.race([sent, gone]);
    } catch (error) {
      throw this.#lost ?? this.#errors.fromWire(error);
    } finally {
      stop();
      source?.dispose();
    }
  }

  /** Call a function with the progress that the core sends under a token. */
  onProgress(token: string, run: (value: Record<string, unknown>) => void): () => void {
    const listener = this.#connection.onProgress(PROGRESS, token, run);
    return () => listener.dispose();
  }

  /** End the connection. */
  close(): void {
    this.#isClosing = true;
    this.#end("the connection was closed");
  }

  #welcomed(result: Wire.InitializeResult | null): void {
    if (result?.protocol !== PROTOCOL || typeof result.limits?.maxMessageBytes !== "number") {
      throw new UnsupportedProtocolError(
        `the core speaks version ${result?.protocol} of the protocol, and this package ${PROTOCOL}`,
        { hint: "install the same version of wikiswarm for Python and for Node" },
      );
    }
    this.#limits = result.limits;
  }

  async #invoke(
    params: Wire.CallbackInvokeParams,
    token: CancellationToken,
  ): Promise<Wire.CallbackResult> {
    const controller = new AbortController();
    this.#calls.add(controller);
    let heard: { dispose(): void } | undefined;
    const cancelled = new Promise<never>((_resolve, reject) => {
      const cancel = (): void => {
        const error = new CancelledError(`${params.callback} was cancelled`);
        controller.abort(error);
        reject(error);
      };
      heard = token.onCancellationRequested(cancel);
      // A token that is cancelled before anybody looks at it tells nobody.
      if (token.isCancellationRequested) cancel();
    });
    try {
      // A function that does not look at its signal goes on, but nobody waits for it.
      const value = await Promise.race([this.#events.invoke(params, controller.signal), cancelled]);
      return { value: (value === undefined ? null : value) as Wire.CallbackResult["value"] };
    } catch (error) {
      throw this.#errors.toWire(error);
    } finally {
      heard?.dispose();
      this.#calls.delete(controller);
    }
  }

  #end(reason: string): void {
    if (this.#lost !== null) return;
    const error = new ConnectionLostError(reason, { retryable: true });
    this.#lost = error;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    for (const call of this.#calls) call.abort(error);
    this.#connection.dispose();
    this.#transport.close();
    if (!this.#isClosing) this.#events.lost(this, error);
  }
}

const PROGRESS = new ProgressType<Record<string, unknown>>();
