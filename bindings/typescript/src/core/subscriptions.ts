/** The events that this program listens to, whichever connection it listens on. */

import type { Notifications } from "../generated/methods.js";
import type * as Wire from "../generated/wire.js";
import type { Link } from "./link.js";

type Heard = (event: Notifications["event"]) => void;

interface Subscription {
  params: Wire.SubscribeParams;
  heard: Heard;
  link: Link | null;
  id: string | null;
}

export class Subscriptions {
  readonly #all = new Set<Subscription>();

  get size(): number {
    return this.#all.size;
  }

  /** Add one; the core is told with the next question. Returns what ends it. */
  add(params: Wire.SubscribeParams, heard: Heard): () => void {
    const subscription: Subscription = { params, heard, link: null, id: null };
    this.#all.add(subscription);
    return () => {
      this.#all.delete(subscription);
      const { link, id } = subscription;
      if (id !== null && link?.isOpen) {
        link.request("events/unsubscribe", { subscriptionId: id }).catch(() => undefined);
      }
    };
  }

  heard(event: Notifications["event"]): void {
    for (const one of this.#all) if (one.id === event.subscriptionId) one.heard(event);
  }

  isBehind(link: Link): boolean {
    for (const one of this.#all) if (one.link !== link) return true;
    return false;
  }

  /** Subscribe on a connection to what is not subscribed to there. */
  async send(link: Link): Promise<void> {
    for (const one of this.#all) {
      if (one.link === link) continue;
      one.link = link;
      one.id = (await link.request("events/subscribe", one.params)).subscriptionId;
    }
  }
}
