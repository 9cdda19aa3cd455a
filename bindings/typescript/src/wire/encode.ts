/** A message as text. */

import { ErrorCodes, type Message } from "vscode-jsonrpc/node";
import { MessageTooLargeError } from "../generated/errors.js";

/**
 * Return a message as JSON.
 *
 * An answer that is not JSON, or longer than the limit, becomes an answer that says so: nobody may
 * wait for it in vain.
 */
export function encodeMessage(message: Message, limit: number): string {
  const { id, result } = message as { id?: number | string; result?: unknown };
  const isAnswer = id !== undefined && result !== undefined;
  const refuse = (code: number, text: string, kind: string): string =>
    JSON.stringify({ jsonrpc: "2.0", id, error: { code, message: text, data: { kind } } });
  let text: string;
  try {
    text = JSON.stringify(message);
  } catch (error) {
    if (!isAnswer) throw error;
    const reason = `what a function returned is not JSON: ${(error as Error).message}`;
    return refuse(ErrorCodes.InternalError, reason, "not_json");
  }
  // A character has at most three bytes for each unit of its length.
  if (text.length * 3 < limit || Buffer.byteLength(text) < limit) return text;
  const reason = `a message has more than ${limit.toLocaleString("en")} bytes`;
  if (!isAnswer) throw new MessageTooLargeError(reason);
  return refuse(MessageTooLargeError.code, reason, MessageTooLargeError.kind);
}
