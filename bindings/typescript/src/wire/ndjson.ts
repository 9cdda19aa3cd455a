/** JSON messages on a stream, one on each line. */

import type { Readable, Writable } from "node:stream";
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  type Message,
} from "vscode-jsonrpc/node";

import { encodeMessage } from "./encode.js";

const NEWLINE = 0x0a;

/** Reads lines, however the stream cuts them up. */
export class LineReader extends AbstractMessageReader {
  readonly #stream: Readable;
  #parts: Buffer[] = [];
  #isEnded = false;

  constructor(stream: Readable) {
    super();
    this.#stream = stream;
  }

  listen(callback: DataCallback): Disposable {
    const onData = (chunk: Buffer): void => this.#take(chunk, callback);
    const onEnd = (): void => {
      if (this.#isEnded) return;
      this.#isEnded = true;
      this.fireClose();
    };
    this.#stream.on("data", onData);
    this.#stream.on("error", (error) => this.fireError(error));
    this.#stream.on("end", onEnd);
    this.#stream.on("close", onEnd);
    return { dispose: () => this.#stream.off("data", onData) };
  }

  #take(chunk: Buffer, callback: DataCallback): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(this.#parts).toString("utf8");
      this.#parts = [];
      start = end + 1;
      if (line.trim() !== "") this.#parse(line, callback);
    }
    if (start < chunk.length) this.#parts.push(chunk.subarray(start));
  }

  #parse(line: string, callback: DataCallback): void {
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch (error) {
      this.fireError(error);
      return;
    }
    callback(message);
  }
}

/** Writes lines; each write ends when the stream has taken it. */
export class LineWriter extends AbstractMessageWriter {
  /** The most bytes of a message. */
  limit = Number.MAX_SAFE_INTEGER;
  readonly #stream: Writable;

  constructor(stream: Writable) {
    super();
    this.#stream = stream;
    stream.on("error", (error) => this.fireError(error));
    stream.on("close", () => this.fireClose());
  }

  write(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = `${encodeMessage(message, this.limit)}\n`;
      this.#stream.write(line, "utf8", (error) => (error ? reject(error) : resolve()));
    });
  }

  end(): void {
    this.#stream.end();
  }
}
