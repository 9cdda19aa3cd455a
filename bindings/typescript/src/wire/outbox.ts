/** The frames that the core may not have yet, and the way that they take over one connection. */

import { ConnectionLostError } from "../generated/errors.js";
import { Gate } from "./gate.js";
import type { TextSocket } from "./websocket.js";

/** Bytes that may wait to be written, and to be acknowledged; then who sends waits. */
const MOST_UNSENT = 1024 * 1024;
const MOST_KEPT = 64 * 1024 * 1024;

interface Frame {
  text: string;
  bytes: number;
}

export class Outbox {
  /** Whether frames are kept until they are acknowledged, or only until they are written. */
  isKeeping = false;
  readonly #gate = new Gate(
    () => this.#isClosed || (this.#unsent < MOST_UNSENT && this.#keptBytes < MOST_KEPT),
  );
  #isClosed = false;
  #socket: TextSocket | null = null;
  /** The connection that frames are being written to. */
  #writing: TextSocket | null = null;
  #kept: Frame[] = [];
  #keptBytes = 0;
  /** Frames that were acknowledged, which are those before the kept ones. */
  #gone = 0;
  /** Of the kept frames, those that were written to this connection. */
  #written = 0;
  #unsent = 0;

  /**
   * Send a frame, now or when there is room and a connection.
   *
   * @throws ConnectionLostError It was closed.
   */
  send(encode: () => string): Promise<void> {
    return this.#gate.run(() => {
      if (this.#isClosed) throw new ConnectionLostError("the connection was closed");
      const text = encode();
      const bytes = Buffer.byteLength(text);
      this.#kept.push({ text, bytes });
      this.#keptBytes += bytes;
      this.#unsent += bytes;
      void this.#write();
    });
  }

  /** Go on over a connection; all that is kept is sent. */
  attach(socket: TextSocket): void {
    this.#socket = socket;
    this.#written = 0;
    this.#unsent = this.#keptBytes;
    void this.#write();
  }

  /** Keep what is sent until there is a connection again. */
  detach(): void {
    this.#socket = null;
  }

  /** Whether the core can go on that has received so many frames. */
  canGoOn(received: number): boolean {
    return received >= this.#gone && received <= this.#gone + this.#kept.length;
  }

  /** Forget the frames that the core has. */
  acknowledged(received: number): void {
    const gone = this.#kept.splice(0, Math.max(0, received - this.#gone));
    for (const { bytes } of gone) this.#keptBytes -= bytes;
    this.#gone += gone.length;
    this.#written = Math.max(0, this.#written - gone.length);
    this.#gate.update();
  }

  /** Send nothing more; who waits is told. */
  close(): void {
    this.#isClosed = true;
    this.#gate.update();
  }

  /** Write what was not written to this connection yet, one frame after the other. */
  async #write(): Promise<void> {
    const socket = this.#socket;
    if (socket === null || this.#writing === socket) return;
    this.#writing = socket;
    while (this.#socket === socket && this.#written < this.#kept.length) {
      const frame = this.#kept[this.#written] as Frame;
      this.#written += 1;
      this.#unsent -= frame.bytes;
      try {
        await socket.send(frame.text);
      } catch {
        return; // its end is on the way, and the frame is kept
      }
      if (!this.isKeeping) this.acknowledged(this.#gone + this.#written);
      this.#gate.update();
    }
    if (this.#writing === socket) this.#writing = null;
  }
}
