/** A core of raw frames on a real socket, for what no core of ours would say. */

import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { WebSocketServer } from "ws";
import { Core } from "../src/core/core.js";
import { LineReader, LineWriter } from "../src/wire/ndjson.js";
import { ResumableSocket } from "../src/wire/resume.js";
import type { Transport } from "../src/wire/transport.js";
import { TextSocket } from "../src/wire/websocket.js";

export const WAYS = ["lines", "websocket"] as const;
export type Way = (typeof WAYS)[number];

export type Frame = {
  id?: number | string | null;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { code: number; message: string };
};

/** Frames of the program over 64 KiB are too long for this core, and those of this core too. */
export const LIMIT = 64 * 1024;

export class RawCore {
  /** What the program has sent and the test has not taken yet. */
  readonly frames: Frame[] = [];
  /** Connections that were made. */
  opened = 0;
  /** What `initialize` is answered with; null is nothing. */
  welcome: Frame | null = {
    result: {
      protocol: 1,
      core: { name: "raw", version: "0" },
      connectionId: "c-1",
      capabilities: { streaming: true, resume: false },
      limits: { maxMessageBytes: LIMIT, maxInFlight: 1024, resumeWindowMs: 0 },
      received: 0,
    },
  };
  /** The program's side. */
  readonly core = new Core(() => this.open());
  readonly #server: Server;
  #heard = (): void => undefined;
  #socket: Socket | null = null;
  #say: (text: string) => void = () => undefined;

  private constructor(readonly way: Way) {
    if (way === "websocket") {
      const server = createHttpServer();
      this.#listenToWebSockets(server);
      this.#server = server;
    } else {
      this.#server = createServer();
      this.#listenToLines(this.#server);
    }
  }

  static async start(way: Way): Promise<RawCore> {
    const raw = new RawCore(way);
    await new Promise<void>((resolve) => raw.#server.listen(0, "127.0.0.1", resolve));
    return raw;
  }

  /** Make the program's way to this core. */
  async open(): Promise<Transport> {
    const { port } = this.#server.address() as AddressInfo;
    if (this.way === "websocket") {
      const open = () => TextSocket.open(`ws://127.0.0.1:${port}`, { mostBytes: LIMIT });
      const socket = new ResumableSocket(await open(), open);
      const { reader, writer } = socket;
      const hold = (isHeld: boolean): void => socket.hold(isHeld);
      const close = (): void => socket.close();
      return { reader, writer, isOwn: false, hold, close, reason: async () => socket.reason };
    }
    const socket = connect(port, "127.0.0.1");
    return {
      reader: new LineReader(socket, LIMIT),
      writer: new LineWriter(socket),
      isOwn: false,
      hold: () => undefined,
      close: () => void socket.destroy(),
      reason: async () => "the core closed the connection",
    };
  }

  /** Send a message, or a text that is none. */
  send(frame: Frame | string): void {
    this.#say(typeof frame === "string" ? frame : JSON.stringify({ jsonrpc: "2.0", ...frame }));
  }

  /** Call a function of the program. */
  invoke(id: number, callback: string, callId = `k${id}`): void {
    this.send({
      id,
      method: "callback/invoke",
      params: { callback, args: [], call: { callId } },
    });
  }

  /** Take the first frame that fits, now or when it comes. */
  async next(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const index = this.frames.findIndex(fits);
      if (index >= 0) return this.frames.splice(index, 1)[0] as Frame;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Take the answer to a request of this core. */
  answer(id: number): Promise<Frame> {
    return this.next((frame) => frame.method === undefined && frame.id === id);
  }

  /** Stop reading, or go on. */
  read(isReading: boolean): void {
    isReading ? this.#socket?.resume() : this.#socket?.pause();
  }

  async stop(): Promise<void> {
    this.#socket?.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #listenToLines(server: Server): void {
    server.on("connection", (socket) => {
      this.#began(socket, (text) => socket.write(`${text}\n`));
      socket.on("error", () => undefined);
      let rest = "";
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.#take(line);
      });
    });
  }

  #listenToWebSockets(server: HttpServer): void {
    new WebSocketServer({ server }).on("connection", (socket, request) => {
      this.#began(request.socket, (text) => socket.send(text));
      socket.on("error", () => undefined);
      socket.on("message", (data) => this.#take(data.toString()));
    });
  }

  #began(socket: Socket, say: (text: string) => void): void {
    this.opened += 1;
    this.#socket = socket;
    this.#say = say;
  }

  #take(text: string): void {
    const frame = JSON.parse(text) as Frame;
    this.frames.push(frame);
    if (frame.method === "initialize" && this.welcome !== null) {
      this.send({ id: frame.id ?? null, ...this.welcome });
    }
    this.#heard();
  }
}
