/** People: the inbox that operators and approvals wait in, and documentation to read. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { core } from "./core/core.js";
import type * as Wire from "./generated/wire.js";

/** A question to a person, or a tool call that a person has to agree to. */
export type IInboxItem = Wire.InboxItem;

/** Which items of the inbox. */
export type IInboxFilter = Wire.InboxListParams;

/** The inbox: what agents with `operator: true` and tools with `needsApproval` wait for. */
export const Operator = {
  /** Return items, the newest first. */
  async list(filter: IInboxFilter = {}): Promise<IInboxItem[]> {
    return core.call("verb/inboxList", filter);
  },
  async show(itemId: string): Promise<IInboxItem> {
    return core.call("verb/inboxShow", { itemId });
  },
  /** Answer a question. */
  async reply(itemId: string, text: string, by = ""): Promise<IInboxItem> {
    return core.call("verb/inboxReply", { itemId, text, by });
  },
  /** Agree to a tool call, which then runs. */
  async approve(itemId: string, by = "", reason = ""): Promise<IInboxItem> {
    return core.call("verb/inboxApprove", { itemId, by, reason });
  },
  /** Refuse a tool call; the agent is told the reason. */
  async reject(itemId: string, by = "", reason = ""): Promise<IInboxItem> {
    return core.call("verb/inboxReject", { itemId, by, reason });
  },
};

/**
 * Write the documentation of all declarations: `PREFIX.md`, and `PREFIX.mmd` with the graph.
 *
 * Returns the places of the two files.
 */
export async function dumpDocs(prefix = "swarm", folder = "./docs/chat"): Promise<string[]> {
  const [text, graph] = await Promise.all([
    core.call("verb/describe", { format: "markdown" }),
    core.call("verb/describe", { format: "mermaid" }),
  ]);
  await mkdir(folder, { recursive: true });
  const places = [join(folder, `${prefix}.md`), join(folder, `${prefix}.mmd`)] as const;
  await Promise.all([writeFile(places[0], text), writeFile(places[1], graph)]);
  return [...places];
}

/** Return the graph of who uses what, with an agent of this program in it, in Mermaid's language. */
export async function dumpAgent(agentName: string): Promise<string> {
  core.catalog.get("agent", agentName);
  return core.call("verb/describe", { format: "mermaid" });
}

/** Return the graph of who uses what, with a swarm of this program in it, in Mermaid's language. */
export async function dumpSwarm(swarmName: string): Promise<string> {
  core.catalog.get("swarm", swarmName);
  return core.call("verb/describe", { format: "mermaid" });
}
