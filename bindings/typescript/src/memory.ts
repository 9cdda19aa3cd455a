/** What a client's session remembers besides messages. */

import { core } from "./core/core.js";
import type { AnyFunction } from "./core/functions.js";
import { serialize } from "./kit/serialize.js";
import type { IStorageData } from "./kit/types.js";

interface OfClient {
  clientId: string;
  agentName: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a value of the program's own
type Any = any;
type Change<T> = T | ((previous: T) => T | Promise<T>);

/** Send a value, or a function that makes the new value of the old one. */
async function withChange<T>(value: unknown, send: (value: unknown) => Promise<T>): Promise<T> {
  if (typeof value !== "function") return send(value === undefined ? null : value);
  const reference = core.functions.lend(value as AnyFunction);
  try {
    return await send(reference);
  } finally {
    core.functions.release([reference.$callback]);
  }
}

/** The states that an agent lists. */
export const State = {
  async getState<T = Any>(of: OfClient & { stateName: string }): Promise<T> {
    return (await core.call("verb/stateGet", of)) as T;
  },
  /** Replace the value, or change it by a function that no other change comes between. */
  async setState<T = Any>(value: Change<T>, of: OfClient & { stateName: string }): Promise<T> {
    return withChange(
      value,
      async (sent) => (await core.call("verb/stateSet", { ...of, value: sent })) as T,
    );
  },
  /** Go back to the default; returns it. */
  async clearState<T = Any>(of: OfClient & { stateName: string }): Promise<T> {
    await core.call("verb/stateClear", of);
    return State.getState<T>(of);
  },
};

/** The states that are shared by everybody. */
export const SharedState = {
  async getState<T = Any>(stateName: string): Promise<T> {
    return (await core.call("verb/sharedStateGet", { stateName })) as T;
  },
  async setState<T = Any>(value: Change<T>, stateName: string): Promise<T> {
    return withChange(
      value,
      async (sent) => (await core.call("verb/sharedStateSet", { stateName, value: sent })) as T,
    );
  },
  async clearState<T = Any>(stateName: string): Promise<T> {
    await core.call("verb/sharedStateClear", { stateName });
    return SharedState.getState<T>(stateName);
  },
};

type OfStorage = OfClient & { storageName: string };

/** The storages that an agent lists. */
export const Storage = {
  /** Return the items that are nearest in meaning. */
  async take<T extends IStorageData = Any>(
    of: OfStorage & { search: string; total: number; score?: number },
  ): Promise<T[]> {
    return (await core.call("verb/storageTake", of)) as unknown as T[];
  },
  async upsert<T extends IStorageData = Any>(of: OfStorage & { item: T | T[] }): Promise<void> {
    const { item, ...rest } = of;
    await core.call("verb/storageUpsert", { ...rest, items: item as Any });
  },
  async remove(of: OfStorage & { itemId: string | number }): Promise<void> {
    await core.call("verb/storageRemove", of);
  },
  async get<T extends IStorageData = Any>(
    of: OfStorage & { itemId: string | number },
  ): Promise<T | null> {
    return (await core.call("verb/storageGet", of)) as T | null;
  },
  async list<T extends IStorageData = Any>(
    of: OfStorage & { filter?: (item: T) => boolean },
  ): Promise<T[]> {
    const { filter, ...rest } = of;
    const items = (await core.call("verb/storageList", rest)) as unknown as T[];
    return filter ? items.filter(filter) : items;
  },
  async clear(of: OfStorage): Promise<void> {
    await core.call("verb/storageClear", of);
  },
  /** Return a number that no item has; each is given once. */
  async createNumericIndex(of: OfStorage): Promise<number> {
    return core.call("verb/storageCreateNumericIndex", of);
  },
};

/** The storages that are shared by everybody. */
export const SharedStorage = {
  async take<T extends IStorageData = Any>(of: {
    search: string;
    total: number;
    storageName: string;
    score?: number;
  }): Promise<T[]> {
    return (await core.call("verb/sharedStorageTake", of)) as unknown as T[];
  },
  async upsert<T extends IStorageData = Any>(item: T | T[], storageName: string): Promise<void> {
    await core.call("verb/sharedStorageUpsert", { storageName, items: item as Any });
  },
  async remove(itemId: string | number, storageName: string): Promise<void> {
    await core.call("verb/sharedStorageRemove", { storageName, itemId });
  },
  async get<T extends IStorageData = Any>(
    itemId: string | number,
    storageName: string,
  ): Promise<T | null> {
    return (await core.call("verb/sharedStorageGet", { storageName, itemId })) as T | null;
  },
  async list<T extends IStorageData = Any>(
    storageName: string,
    filter?: (item: T) => boolean,
  ): Promise<T[]> {
    const items = (await core.call("verb/sharedStorageList", { storageName })) as unknown as T[];
    return filter ? items.filter(filter) : items;
  },
  async clear(storageName: string): Promise<void> {
    await core.call("verb/sharedStorageClear", { storageName });
  },
  async createNumericIndex(storageName: string): Promise<number> {
    return core.call("verb/sharedStorageCreateNumericIndex", { storageName });
  },
};

/** Computed values of a client. */
export const Compute = {
  async getComputeData<T = Any>(of: { clientId: string; computeName: string }): Promise<T> {
    return (await core.call("verb/computeGet", of)) as T;
  },
  /** Discard the value, so that the next read computes it. */
  async update(computeName: string, clientId: string): Promise<void> {
    await core.call("verb/computeUpdate", { computeName, clientId });
  },
};

/** Computed values that are shared by everybody. */
export const SharedCompute = {
  async getComputeData<T = Any>(computeName: string): Promise<T> {
    return (await core.call("verb/sharedComputeGet", { computeName })) as T;
  },
  async update(computeName: string): Promise<void> {
    await core.call("verb/sharedComputeUpdate", { computeName });
  },
};

/** What a session notes down without a declaration, and values as text for prompts. */
export const Schema = {
  async readSessionMemory<T extends object = Any>(clientId: string): Promise<T | null> {
    return (await core.call("verb/readSessionMemory", { clientId })) as T | null;
  },
  /** Note something down in place of what was there, or change it by a function. */
  async writeSessionMemory<T extends object = Any>(
    clientId: string,
    value: T | ((previous: T | null) => T | Promise<T>),
  ): Promise<void> {
    await withChange(value, (sent) =>
      core.call("verb/writeSessionMemory", { clientId, value: sent }),
    );
  },
  serialize,
};
