/** A WebSocket that carries texts, for as long as it lives. */

import type { Socket } from "node:net";
import { type RawData, WebSocket } from "ws";
import { ConnectionLostError, UnauthorizedError } from "../generated/errors.js";

/** How long a core may take to accept a connection. */
const OPENING_MS = 10_000;
/** The longest message of a core. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Codes with which a side ends a connection on purpose; others mean that it broke. */
const FINAL_CODES = new Set([1000, 1002, 1003, 1007, 1008, 1009]);

export interface SocketOptions {
  token?: string | undefined;
  /** How often the other side is asked whether it is there; twice in vain is a broken connection. */
  heartbeatMs?: number;
  /** The longest message that is taken. */
  mostBytes?: number;
}

export class TextSocket {
  /** Hears of each text. */
  heard: (text: string) => void = () => undefined;
  /** Hears once that it ended; `isFinal` says that the other side wanted it so. */
  ended: (reason: string, isFinal: boolean) => void = () => undefined;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, heartbeatMs: number) {
    this.#socket = socket;
    let wrong: Error | null = null;
    let isAlive = true;
    const heartbeat = setInterval(() => {
      if (!isAlive) return socket.terminate();
      isAlive = false;
      socket.ping();
    }, heartbeatMs);
    heartbeat.unref();
    const alive = (): void => {
      isAlive = true;
    };
    socket.on("pong", alive);
    socket.on("ping", alive);
    socket.on("message", (data: RawData) => {
      alive();
      this.heard(data.toString());
    });
    socket.on("error", (error) => {
      wrong = error;
    });
    socket.on("close", (code, text) => {
      clearInterval(heartbeat);
      // What breaks the rules of WebSockets would break them again.
      const isProtocol = String((wrong as { code?: string } | null)?.code).startsWith("WS_ERR_");
      const shown = text.length > 0 ? `${code} ${text}` : `${code}`;
      const reason = isProtocol ? (wrong as unknown as Error).message : shown;
      this.ended(`the core closed the connection (${reason})`, isProtocol || FINAL_CODES.has(code));
    });
  }

  /**
   * Connect.
   *
   * @throws UnauthorizedError The core refuses the token.
   * @throws ConnectionLostError Nobody answers there.
   */
  static async open(url: string, options: SocketOptions = {}): Promise<TextSocket> {
    const { token, heartbeatMs = 20_000, mostBytes = MOST_BYTES } = options;
    const socket = new WebSocket(url, "wikiswarm.v1", {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      perMessageDeflate: false,
      maxPayload: mostBytes,
      handshakeTimeout: OPENING_MS,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("unexpected-response", (_request, response) => {
        const { statusCode, statusMessage } = response;
        const Class =
          statusCode === 401 || statusCode === 403 ? UnauthorizedError : ConnectionLostError;
        reject(new Class(`the core at ${url} answered ${statusCode} ${statusMessage}`));
        response.resume();
        socket.terminate();
      });
      socket.on("error", (error) =>
        reject(new ConnectionLostError(`the core at ${url} is not reached: ${error.message}`)),
      );
    });
    return new TextSocket(socket, heartbeatMs);
  }

  /** Send a text; ends when the system has taken it. */
  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Keep the process alive for it, or not. */
  hold(isHeld: boolean): void {
    const wire = (this.#socket as unknown as { _socket?: Socket })._socket;
    isHeld ? wire?.ref() : wire?.unref();
  }

  /** End it, and tell the other side that this is no break. */
  close(): void {
    this.#socket.close(1000);
  }

  /** End it at once. */
  terminate(): void {
    this.#socket.terminate();
  }
}
