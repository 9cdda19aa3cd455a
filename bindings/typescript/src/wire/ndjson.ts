/** JSON messages on a stream, one on each line. */

import type { Readable, Writable } from "node:stream";
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  type Message,
} from "vscode-jsonrpc/node";

import { MessageTooLargeError } from "../generated/errors.js";
import { encodeMessage } from "./encode.js";
import { Gate } from "./gate.js";

const NEWLINE = 0x0a;
/** The longest message of a core. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Bytes that may wait for the stream; then who writes waits. */
const MOST_UNSENT = 1024 * 1024;

/** Reads lines, however the stream cuts them up. */
export class LineReader extends AbstractMessageReader {
  readonly #stream: Readable;
  readonly #most: number;
  #parts: Buffer[] = [];
  #size = 0;
  #isEnded = false;

  /** Read from a stream; a line of more bytes than `most` ends it. */
  constructor(stream: Readable, most = MOST_BYTES) {
    super();
    this.#stream = stream;
    this.#most = most;
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
      this.#size = 0;
      start = end + 1;
      if (line.trim() !== "") this.#parse(line, callback);
    }
    if (start === chunk.length) return;
    this.#parts.push(chunk.subarray(start));
    this.#size += chunk.length - start;
    if (this.#size <= this.#most) return;
    this.#parts = [];
    const text = `the core sent more than ${this.#most.toLocaleString("en")} bytes in one message`;
    this.#stream.destroy(new MessageTooLargeError(text));
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
  readonly #gate: Gate;

  constructor(stream: Writable) {
    super();
    this.#stream = stream;
    this.#gate = new Gate(() => stream.destroyed || stream.writableLength < MOST_UNSENT);
    stream.on("error", (error) => this.fireError(error));
    stream.on("close", () => {
      this.#gate.update();
      this.fireClose();
    });
  }

  write(message: Message): Promise<void> {
    return this.#gate.run(() => this.#write(`${encodeMessage(message, this.limit)}\n`));
  }

  #write(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(line, "utf8", (error) => {
        this.#gate.update();
        error ? reject(error) : resolve();
      });
    });
  }

  end(): void {
    this.#stream.end();
  }
}
