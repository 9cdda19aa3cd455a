/** Work beside a conversation, and declarations for a while: `fork`, `scope`, `makeAutoDispose`. */

import { core } from "./core/core.js";
import { runInScope, type ScopeRecord } from "./kit/scopes.js";
import { getAgentName } from "./reads.js";
import { disposeConnection } from "./verbs.js";

/**
 * Run a function with a conversation of its own, which is closed afterwards.
 *
 * Returns what the function returned. What it throws is told to `onError` and thrown on.
 */
export async function fork<T>(
  run: (clientId: string, agentName: string) => Promise<T>,
  options: { clientId: string; swarmName: string; onError?(error: Error): unknown },
): Promise<T> {
  const { clientId, swarmName, onError } = options;
  core.open({ clientId, swarmName, mode: "scope" });
  try {
    return await run(clientId, await getAgentName(clientId));
  } catch (error) {
    await onError?.(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    await core.dispose(clientId, swarmName).catch(() => undefined);
  }
}

/**
 * Run a function whose `add*` and `override*` are taken back when it ends.
 *
 * Until then they hold for the whole program, not only for what the function does.
 */
export async function scope<T>(run: () => Promise<T>): Promise<T> {
  const undo: (() => unknown)[] = [];
  const record: ScopeRecord = {
    added(registry, name) {
      undo.push(() => core.catalog.remove(registry, name));
    },
    changed(registry, name, before, overrideId) {
      undo.push(async () => {
        const entry = core.catalog.find(registry, name);
        if (entry && before) entry.schema = before;
        if (overrideId !== null) await core.call("catalog/restore", { overrideId });
      });
    },
  };
  try {
    return await runInScope(record, run);
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

/** Watch a client: close its conversation when it was not heard of for a while. */
export function makeAutoDispose(
  clientId: string,
  swarmName: string,
  options: {
    timeoutSeconds?: number;
    onDestroy?(clientId: string, swarmName: string): unknown;
  } = {},
): { tick(): void; destroy(): Promise<void> } {
  const { timeoutSeconds = 900, onDestroy } = options;
  let isOver = false;
  const destroy = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    await disposeConnection(clientId, swarmName);
    await onDestroy?.(clientId, swarmName);
  };
  const start = (): NodeJS.Timeout =>
    setTimeout(() => {
      destroy().catch((error: unknown) => {
        core.log("error", "wikiswarm", `${clientId} was not disposed: ${String(error)}`);
      });
    }, timeoutSeconds * 1000).unref();
  let timer = start();
  return {
    tick() {
      clearTimeout(timer);
      if (!isOver) timer = start();
    },
    destroy,
  };
}
