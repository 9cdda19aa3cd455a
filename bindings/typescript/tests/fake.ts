/** A core that answers what a test says, in this process. */

import { PassThrough } from "node:stream";
import {
  createMessageConnection,
  type MessageConnection,
  NullLogger,
  ParameterStructures,
} from "vscode-jsonrpc/node";
import { Core } from "../src/core/core.js";
import { LineReader, LineWriter } from "../src/wire/ndjson.js";
import type { Transport } from "../src/wire/transport.js";

type Params = Record<string, unknown>;
type Answer = (params: Params, fake: FakeCore) => unknown;

const ANSWERS: Record<string, Answer> = {
  initialize: () => ({
    protocol: 1,
    core: { name: "fake", version: "0" },
    connectionId: "c-1",
    capabilities: { streaming: true, resume: false },
    limits: { maxMessageBytes: 1 << 24, maxInFlight: 3, resumeWindowMs: 0 },
    received: 0,
  }),
  "catalog/declare": () => ({ declared: [], issues: [] }),
  "session/open": (params) => ({
    ...params,
    isOpen: true,
    agentName: "a",
    route: [],
    mode: "session",
  }),
  "session/complete": () => "answer",
  "events/subscribe": () => ({ subscriptionId: "s-1" }),
};

/** One connection's worth of a core. */
export class FakeCore {
  readonly heard: { method: string; params: Params }[] = [];
  #peer: MessageConnection | null = null;
  #streams: PassThrough[] = [];
  readonly held: boolean[] = [];
  opened = 0;

  constructor(readonly answers: Record<string, Answer> = {}) {}

  /** Return a core of the package that talks to this one. */
  core(): Core {
    return new Core(async () => this.transport());
  }

  methods(): string[] {
    return this.heard.map((one) => one.method);
  }

  /** Call a function of the program. */
  invoke(callback: string, ...args: unknown[]): Promise<unknown> {
    const params = { callback, args, call: { callId: "k1", clientId: "client", agentName: "a" } };
    return this.peer.sendRequest("callback/invoke", ParameterStructures.byName, params);
  }

  get peer(): MessageConnection {
    if (this.#peer === null) throw new Error("nobody is connected");
    return this.#peer;
  }

  /** End the connection, as a core that dies does. */
  die(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  private transport(): Transport {
    this.opened += 1;
    const [there, back] = [new PassThrough(), new PassThrough()];
    this.#streams = [there, back];
    const peer = createMessageConnection(new LineReader(there), new LineWriter(back), NullLogger);
    peer.onRequest((method, params) => {
      const given = (params ?? {}) as unknown as Params;
      this.heard.push({ method, params: given });
      const answer = this.answers[method] ?? ANSWERS[method];
      return answer ? answer(given, this) : null;
    });
    peer.listen();
    this.#peer = peer;
    return {
      reader: new LineReader(back),
      writer: new LineWriter(there),
      isOwn: true,
      hold: (isHeld) => void this.held.push(isHeld),
      close: () => this.die(),
      reason: async () => "the fake died",
    };
  }
}
