/** The sessions that this program has open, whichever connection they are open on. */

import { ConnectionLostError, SessionError } from "../generated/errors.js";
import type * as Wire from "../generated/wire.js";
import type { Link } from "./link.js";

/** A session of this program. */
export interface OpenSession {
  params: Wire.SessionOpenParams;
  /** The connection that the core was told about it on. */
  link: Link | null;
  opened: Promise<unknown>;
  isRefused: boolean;
}

export class Sessions {
  readonly #open = new Map<string, OpenSession>();

  /** Whether the core says something by itself to one of them. */
  get haveConnectors(): boolean {
    return [...this.#open.values()].some(({ params }) => params.connector);
  }

  /** Add a session; the core is told with the next question. */
  add(params: Wire.SessionOpenParams): void {
    const key = keyOf(params.clientId, params.swarmName);
    if (this.#open.get(key)?.isRefused === false) {
      throw new SessionError(
        `session of client '${params.clientId}' in swarm '${params.swarmName}' is open already`,
        { details: { clientId: params.clientId, swarmName: params.swarmName } },
      );
    }
    this.#open.set(key, { params, link: null, opened: Promise.resolve(), isRefused: false });
  }

  has(clientId: string, swarmName?: string): boolean {
    for (const { params, isRefused } of this.#open.values()) {
      const isNamed = swarmName === undefined || params.swarmName === swarmName;
      if (params.clientId === clientId && isNamed && !isRefused) return true;
    }
    return false;
  }

  /** Forget a session and return it. */
  remove(clientId: string, swarmName: string): OpenSession | undefined {
    const key = keyOf(clientId, swarmName);
    const session = this.#open.get(key);
    this.#open.delete(key);
    return session;
  }

  clear(): void {
    this.#open.clear();
  }

  isBehind(link: Link): boolean {
    for (const one of this.#open.values()) if (one.link !== link) return true;
    return false;
  }

  /** Open on a connection what is not open there. */
  send(link: Link): void {
    for (const session of this.#open.values()) {
      if (session.link === link) continue;
      session.link = link;
      session.isRefused = false;
      session.opened = link.request("session/open", session.params).catch((error: unknown) => {
        // What is asked of a session that the core refused fails for the same reason.
        session.isRefused = !(error instanceof ConnectionLostError);
        throw error;
      });
      session.opened.catch(() => undefined);
    }
  }

  /** Wait until the sessions that a question is about are open. */
  async opened(of: { clientId?: unknown; swarmName?: unknown }): Promise<void> {
    if (typeof of.clientId !== "string") return;
    for (const { params, opened } of [...this.#open.values()]) {
      const isNamed = typeof of.swarmName !== "string" || params.swarmName === of.swarmName;
      if (params.clientId === of.clientId && isNamed) await opened;
    }
  }
}

function keyOf(clientId: string, swarmName: string): string {
  return `${swarmName}\0${clientId}`;
}
