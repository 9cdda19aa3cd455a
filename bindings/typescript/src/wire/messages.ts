/** The reader and the writer of messages that come and go as texts. */

import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  type Message,
} from "vscode-jsonrpc/node";

/** Gives on what arrives. */
export class FrameReader extends AbstractMessageReader {
  #callback: DataCallback | null = null;

  listen(callback: DataCallback): Disposable {
    this.#callback = callback;
    return {
      dispose: () => {
        this.#callback = null;
      },
    };
  }

  take(message: Message): void {
    this.#callback?.(message);
  }

  fail(error: unknown): void {
    this.fireError(error);
  }

  end(): void {
    this.fireClose();
  }
}

/** Takes what is sent. */
export class FrameWriter extends AbstractMessageWriter {
  /** The most bytes of a message. */
  limit = Number.MAX_SAFE_INTEGER;
  readonly #send: (message: Message, limit: number) => Promise<void>;

  constructor(send: (message: Message, limit: number) => Promise<void>) {
    super();
    this.#send = send;
  }

  write(message: Message): Promise<void> {
    return this.#send(message, this.limit);
  }

  end(): void {}
}
