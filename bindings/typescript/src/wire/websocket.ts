/** JSON messages on a WebSocket, one in each text frame. */

import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  type Message,
} from "vscode-jsonrpc/node";
import type { RawData, WebSocket } from "ws";

import { encodeMessage } from "./encode.js";

export class SocketReader extends AbstractMessageReader {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }

  listen(callback: DataCallback): Disposable {
    const onMessage = (data: RawData): void => {
      let message: Message;
      try {
        message = JSON.parse(data.toString()) as Message;
      } catch (error) {
        this.fireError(error);
        return;
      }
      callback(message);
    };
    this.#socket.on("message", onMessage);
    this.#socket.on("error", (error) => this.fireError(error));
    this.#socket.on("close", () => this.fireClose());
    return { dispose: () => this.#socket.off("message", onMessage) };
  }
}

export class SocketWriter extends AbstractMessageWriter {
  /** The most bytes of a message. */
  limit = Number.MAX_SAFE_INTEGER;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }

  write(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(encodeMessage(message, this.limit), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  end(): void {
    this.#socket.close();
  }
}
