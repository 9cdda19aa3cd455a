/** A message as text. */

import { ErrorCodes, type Message } from "vscode-jsonrpc/node";

/**
 * Return a message as JSON.
 *
 * An answer that is not JSON becomes an answer that says so: nobody may wait for it in vain.
 */
export function encodeMessage(message: Message): string {
  try {
    return JSON.stringify(message);
  } catch (error) {
    const { id, result } = message as { id?: number | string; result?: unknown };
    if (id === undefined || result === undefined) throw error;
    const text = `what a function returned is not JSON: ${(error as Error).message}`;
    return JSON.stringify({
      jsonrpc: "2.0",
      id,
      error: { code: ErrorCodes.InternalError, message: text, data: { kind: "not_json" } },
    });
  }
}
