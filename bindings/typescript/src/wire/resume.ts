/**
 * Messages over one WebSocket after another, so that a connection that breaks does no harm.
 *
 * Both sides count the frames after the handshake. What the core has not acknowledged is kept, and
 * sent again when the connection is back: each frame arrives once, and in order.
 */

import type { Message } from "vscode-jsonrpc/node";
import { ConnectionLostError, UnauthorizedError } from "../generated/errors.js";
import type { InitializeParams, InitializeResult } from "../generated/wire.js";
import { encodeMessage } from "./encode.js";
import { FrameReader, FrameWriter } from "./messages.js";
import { Outbox } from "./outbox.js";
import type { TextSocket } from "./websocket.js";

/** Frames and bytes after which the core hears how much has arrived. */
const ACK_FRAMES = 16;
const ACK_BYTES = 1024 * 1024;
/** The first attempt to come back is made at once, others after these delays, twice as long each. */
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 2_000;

/** What an answer to `initialize` may be. */
interface Welcome {
  result?: InitializeResult;
  error?: { message?: string };
}

/** The core does not go on with this connection. */
class Refused extends Error {}

export class ResumableSocket {
  readonly reader = new FrameReader();
  readonly writer = new FrameWriter((message, limit) => this.#send(message, limit));
  /** Why the connection ended. */
  reason = "the connection was closed";
  readonly #connect: () => Promise<TextSocket>;
  readonly #outbox = new Outbox();
  #socket: TextSocket | null = null;
  #hello: InitializeParams | null = null;
  #welcome: Welcome | null = null;
  #isClosed = false;
  #isHeld = true;
  #received = 0;
  #unacknowledged = { frames: 0, bytes: 0 };
  #delay = 0;
  #timer: NodeJS.Timeout | null = null;

  // Otherwise the core would wait for a process that is no more.
  readonly #leave = (): void => this.#socket?.close();

  /** Begin with a connection; `connect` makes another one when it breaks. */
  constructor(socket: TextSocket, connect: () => Promise<TextSocket>) {
    this.#connect = connect;
    process.once("exit", this.#leave);
    this.#attach(socket);
  }

  /** Keep the process alive for the connection, or not. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#socket?.hold(isHeld);
    isHeld ? this.#timer?.ref() : this.#timer?.unref();
  }

  /** End it for good. */
  close(): void {
    this.#isClosed = true;
    process.off("exit", this.#leave);
    this.#socket?.close();
    this.#timer?.unref();
    this.#outbox.close();
  }

  #attach(socket: TextSocket): void {
    this.#socket = socket;
    this.#unacknowledged = { frames: 0, bytes: 0 };
    socket.heard = (text) => this.#heard(text);
    socket.ended = (reason, isFinal) => this.#broke(socket, reason, isFinal);
    socket.hold(this.#isHeld);
    this.#outbox.attach(socket);
  }

  async #send(message: Message, limit: number): Promise<void> {
    const encode = () => encodeMessage(message, limit);
    if (this.#hello !== null) return this.#outbox.send(encode);
    // The handshake is not counted: each connection begins with one.
    this.#hello = (message as { params?: InitializeParams }).params ?? null;
    if (this.#socket === null) throw new ConnectionLostError(this.reason);
    return this.#socket.send(encode());
  }

  #heard(text: string): void {
    let message: Message;
    try {
      message = JSON.parse(text) as Message;
    } catch (error) {
      this.reader.fail(error);
      return;
    }
    const { method, params } = (message ?? {}) as { method?: unknown; params?: unknown };
    if (this.#welcome === null) {
      this.#welcome = message as Welcome;
      this.#outbox.isKeeping = this.#windowMs > 0;
    } else if (method === "$/ack") {
      this.#outbox.acknowledged(Number((params as { received?: unknown } | null)?.received));
      return;
    } else this.#count(text.length);
    this.reader.take(message);
  }

  /** Count a frame that arrived, and say so from time to time. */
  #count(bytes: number): void {
    this.#received += 1;
    this.#delay = 0;
    const waiting = this.#unacknowledged;
    waiting.frames += 1;
    waiting.bytes += bytes;
    if (waiting.frames < ACK_FRAMES && waiting.bytes < ACK_BYTES) return;
    this.#unacknowledged = { frames: 0, bytes: 0 };
    if (this.#windowMs === 0) return;
    const params = { received: this.#received };
    const frame = JSON.stringify({ jsonrpc: "2.0", method: "$/ack", params });
    this.#socket?.send(frame).catch(() => undefined);
  }

  /** How long the core keeps the connection when it breaks. */
  get #windowMs(): number {
    const { capabilities, limits } = this.#welcome?.result ?? {};
    return capabilities?.resume === true ? (limits?.resumeWindowMs ?? 0) : 0;
  }

  #broke(socket: TextSocket, reason: string, isFinal: boolean): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#outbox.detach();
    if (this.#isClosed || isFinal || this.#windowMs === 0) this.#end(reason);
    else void this.#comeBack(reason);
  }

  #end(reason: string): void {
    if (!this.#isClosed) this.reason = reason;
    this.#isClosed = true;
    process.off("exit", this.#leave);
    this.#outbox.close();
    this.reader.end();
  }

  /** Connect again until it succeeds, the core refuses, or the window is over. */
  async #comeBack(reason: string): Promise<void> {
    const until = performance.now() + this.#windowMs;
    while (performance.now() < until) {
      await this.#pause(Math.min(this.#delay, until - performance.now()));
      this.#delay = Math.min(Math.max(2 * this.#delay, FIRST_DELAY_MS), LONGEST_DELAY_MS);
      if (this.#isClosed) return this.#end(reason);
      try {
        const socket = await this.#connect();
        await this.#resume(socket, until - performance.now());
        return;
      } catch (error) {
        const isFinal = error instanceof Refused || error instanceof UnauthorizedError;
        if (isFinal) return this.#end(`${reason}, and it cannot go on: ${error.message}`);
      }
    }
    this.#end(`${reason}, and was not there again within ${this.#windowMs / 1000} s`);
  }

  /** Shake hands over another connection, and go on there. */
  async #resume(socket: TextSocket, forMs: number): Promise<void> {
    const connectionId = this.#welcome?.result?.connectionId;
    const params = { ...this.#hello, resume: { connectionId, received: this.#received } };
    const late = setTimeout(() => socket.terminate(), forMs);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.heard = (text) => {
          try {
            // What follows may arrive before anything else runs, and is counted.
            this.#goOn(socket, JSON.parse(text) as Welcome);
            resolve();
          } catch (error) {
            reject(error);
          }
        };
        socket.ended = (reason) => reject(new ConnectionLostError(reason));
        const hello = { jsonrpc: "2.0", id: "resume", method: "initialize", params };
        socket.send(JSON.stringify(hello)).catch(reject);
      });
    } catch (error) {
      socket.terminate();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  #goOn(socket: TextSocket, { result, error }: Welcome): void {
    if (this.#isClosed || result === undefined) throw new Refused(error?.message ?? this.reason);
    if (!this.#outbox.canGoOn(result.received)) throw new Refused("the core has lost frames");
    this.#outbox.acknowledged(result.received);
    this.#attach(socket);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, ms);
      if (!this.#isHeld) this.#timer.unref();
    });
  }
}
