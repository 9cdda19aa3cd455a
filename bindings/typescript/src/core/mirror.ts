/** What this program knows of sessions without asking: fed by `session/changed`. */

import type { SessionChangedParams } from "../generated/wire.js";

/** Answers the questions that the kit answers without waiting. */
export class Mirror {
  readonly #sessions = new Map<string, SessionChangedParams>();

  changed(session: SessionChangedParams): void {
    const key = `${session.swarmName}\0${session.clientId}`;
    if (session.isOpen) this.#sessions.set(key, session);
    else this.#sessions.delete(key);
  }

  /** Forget everything: the core is gone. */
  clear(): void {
    this.#sessions.clear();
  }

  /** Return the open session of a client, in a swarm where one is named. */
  find(clientId: string, swarmName?: string): SessionChangedParams | undefined {
    for (const session of this.#sessions.values()) {
      const isNamed = swarmName === undefined || session.swarmName === swarmName;
      if (session.clientId === clientId && isNamed) return session;
    }
    return undefined;
  }
}
