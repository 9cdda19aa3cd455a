/** Which call of the core the running code belongs to. */

import { AsyncLocalStorage } from "node:async_hooks";
import { shared } from "./shared.js";

/** A function of this program that the core is calling. */
export interface CallContext {
  callId: string;
  clientId: string | null;
  agentName: string | null;
  payload: unknown;
  signal: AbortSignal;
}

const storage = shared("call", () => new AsyncLocalStorage<CallContext>());

/** Run a function as the answer to a call of the core. */
export function runInCall<T>(context: CallContext, run: () => T): T {
  return storage.run(context, run);
}

/** Return the call that the running code belongs to, if any. */
export function currentCall(): CallContext | undefined {
  return storage.getStore();
}
