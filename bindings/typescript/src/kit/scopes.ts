/** What a running `scope` has to take back. */

import { AsyncLocalStorage } from "node:async_hooks";
import { shared } from "../core/shared.js";

/** Hears of what is declared and changed inside. */
export interface ScopeRecord {
  added(registry: string, name: string): void;
  changed(
    registry: string,
    name: string,
    before: object | undefined,
    overrideId: string | null,
  ): void;
}

const storage = shared("scope", () => new AsyncLocalStorage<ScopeRecord>());

/** Tell the scope that the running code is in, if any. */
export function inScope(tell: (scope: ScopeRecord) => void): void {
  const scope = storage.getStore();
  if (scope) tell(scope);
}

/** Run a function inside a scope. */
export function runInScope<T>(scope: ScopeRecord, run: () => Promise<T>): Promise<T> {
  return storage.run(scope, run);
}
