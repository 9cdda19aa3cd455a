/** Policies, servers of tools, chats, operators, logs: the kit's objects with methods. */

import { core } from "./core/core.js";
import type { ISession } from "./session.js";
import { session } from "./session.js";

interface OfPolicy {
  clientId: string;
  swarmName: string;
  policyName: string;
}

/** The bans of a swarm's policies. */
export const Policy = {
  async hasBan(of: OfPolicy): Promise<boolean> {
    return core.call("verb/policyHasBan", of);
  },
  async banClient(of: OfPolicy): Promise<void> {
    await core.call("verb/policyBanClient", of);
  },
  async unbanClient(of: OfPolicy): Promise<void> {
    await core.call("verb/policyUnbanClient", of);
  },
};

/** Servers of tools. */
export const MCP = {
  /** Let the list of a server's tools be asked for again. */
  async update(mcpName: string, clientId?: string): Promise<void> {
    await core.call("verb/mcpUpdate", { mcpName, clientId: clientId ?? null });
  },
};

/** Where the lines of this package and of the core go. */
export interface ILogger {
  log?(topic: string, ...args: unknown[]): void;
  info?(topic: string, ...args: unknown[]): void;
  debug?(topic: string, ...args: unknown[]): void;
}

export const Logger = {
  /** Send all lines to a logger; without one, warnings and errors go to stderr. */
  useCommonAdapter(logger: ILogger): void {
    core.log = (level, name, message) => {
      const write = level === "debug" ? logger.debug : level === "info" ? logger.info : logger.log;
      (write ?? logger.log)?.call(logger, name, message);
    };
  },
};

/** What chats tell. */
export interface IChatCallbacks {
  onBeginChat?(clientId: string, swarmName: string): unknown;
  onSendMessage?(clientId: string, swarmName: string, content: string): unknown;
  onDispose?(clientId: string, swarmName: string): unknown;
}

interface OpenChat {
  session: ISession;
  lastUsed: number;
}

const CHECK_MS = 60_000;
const IDLE_MS = 15 * 60_000;

/** Conversations that end by themselves after 15 minutes without a message. */
class ChatFacade {
  readonly #chats = new Map<string, OpenChat>();
  readonly #listeners = new Map<string, Set<(clientId: string) => unknown>>();
  #callbacks: IChatCallbacks = {};
  #timer: NodeJS.Timeout | null = null;

  /** Tell functions of what happens to chats. */
  useChatCallbacks(callbacks: IChatCallbacks): void {
    this.#callbacks = callbacks;
  }

  /** Open a conversation, if it is not open already. */
  async beginChat(clientId: string, swarmName: string): Promise<void> {
    await this.#begin(clientId, swarmName);
  }

  /** Send a message and return the answer; opens the conversation where needed. */
  async sendMessage<Payload extends object = object>(
    clientId: string,
    message: string,
    swarmName: string,
    payload?: Payload,
  ): Promise<string> {
    const chat = await this.#begin(clientId, swarmName);
    await this.#callbacks.onSendMessage?.(clientId, swarmName, message);
    try {
      return await chat.session.complete(message, payload);
    } finally {
      chat.lastUsed = Date.now();
    }
  }

  /** End a conversation. */
  async dispose(clientId: string, swarmName: string): Promise<void> {
    const key = keyOf(clientId, swarmName);
    const chat = this.#chats.get(key);
    if (chat === undefined) return;
    this.#chats.delete(key);
    if (this.#chats.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    await chat.session.dispose();
    await this.#callbacks.onDispose?.(clientId, swarmName);
    const heard = this.#listeners.get(key);
    this.#listeners.delete(key);
    for (const run of heard ?? []) run(clientId);
  }

  /** Call a function when a conversation ends. */
  listenDispose(
    clientId: string,
    swarmName: string,
    run: (clientId: string) => unknown,
  ): () => void {
    const key = keyOf(clientId, swarmName);
    const heard = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, heard.add(run));
    return () => void heard.delete(run);
  }

  async #begin(clientId: string, swarmName: string): Promise<OpenChat> {
    const key = keyOf(clientId, swarmName);
    const known = this.#chats.get(key);
    if (known) return known;
    const chat = { session: session(clientId, swarmName), lastUsed: Date.now() };
    this.#chats.set(key, chat);
    this.#timer ??= setInterval(() => this.#sweep(), CHECK_MS).unref();
    await this.#callbacks.onBeginChat?.(clientId, swarmName);
    return chat;
  }

  #sweep(): void {
    for (const [key, chat] of this.#chats) {
      if (Date.now() - chat.lastUsed < IDLE_MS) continue;
      const [swarmName = "", clientId = ""] = key.split("\0");
      this.dispose(clientId, swarmName).catch((error: unknown) => {
        core.log("error", "wikiswarm", `a chat was not disposed: ${String(error)}`);
      });
    }
  }
}

export const Chat = new ChatFacade();

function keyOf(clientId: string, swarmName: string): string {
  return `${swarmName}\0${clientId}`;
}
