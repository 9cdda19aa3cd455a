/** A TCP proxy that breaks connections when a test says so. */

import { connect, createServer, type Socket } from "node:net";

type Direction = "up" | "down";

export class BreakingProxy {
  /** Connections that were made so far. */
  connections = 0;
  /** Whether connections are broken as soon as they are made. */
  isAway = false;
  /** Whether bytes are taken and not given on. */
  isStalled = false;
  readonly #server = createServer((near) => this.#join(near));
  readonly #pairs = new Set<[Socket, Socket]>();
  #cutAfter: { direction: Direction; bytes: number; done: () => void } | null = null;

  private constructor(private target: number) {}

  /** Listen on a port of its own, in front of the core at an address. */
  static async start(core: string): Promise<BreakingProxy> {
    const proxy = new BreakingProxy(Number(new URL(core).port));
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /** Lead new connections to another core. */
  leadTo(core: string): void {
    this.target = Number(new URL(core).port);
  }

  /** Break all connections. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
    this.#pairs.clear();
  }

  /** Break all connections when so many more bytes have gone through; resolves then. */
  cutAfter(direction: Direction, bytes: number): Promise<void> {
    return new Promise((done) => {
      this.#cutAfter = { direction, bytes, done };
    });
  }

  stop(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket): void {
    this.connections += 1;
    near.on("error", () => undefined);
    if (this.isAway) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.target, "127.0.0.1");
    far.on("error", () => near.destroy());
    this.#pairs.add([near, far]);
    this.#pass(near, far, "up");
    this.#pass(far, near, "down");
  }

  #pass(from: Socket, to: Socket, direction: Direction): void {
    from.on("data", (chunk) => {
      if (this.isStalled) return;
      const limit = this.#cutAfter;
      if (limit?.direction === direction) {
        limit.bytes -= chunk.length;
        if (limit.bytes <= 0) {
          this.#cutAfter = null;
          // A part of it arrives, so that a frame is torn.
          to.write(chunk.subarray(0, chunk.length + limit.bytes), () => this.cut());
          limit.done();
          return;
        }
      }
      if (!to.write(chunk)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    });
    from.on("close", () => to.destroy());
  }
}
