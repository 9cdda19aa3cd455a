/** Errors as they cross the wire, in both directions. */

import { ErrorCodes, ResponseError } from "vscode-jsonrpc/node";
import { CallbackError, ERRORS, MessageTooLargeError, RpcError } from "../generated/errors.js";
import { SwarmError } from "./base.js";

/** What the answer to a request says about its failure. */
interface WireErrorData {
  kind?: string;
  retryable?: boolean;
  hint?: string | null;
  details?: Record<string, unknown>;
  errorId?: string | null;
  stack?: string | null;
}

/** Errors that functions of this program threw lately, by the id that the core knows them by. */
const MOST_REMEMBERED = 256;

export class ThrownErrors {
  readonly #errors = new Map<string, unknown>();
  #count = 0;

  /** Return the answer to a `callback/invoke` whose function threw. */
  toWire(error: unknown): ResponseError<WireErrorData> {
    const isOurs = error instanceof SwarmError;
    const id = `ts-${++this.#count}`;
    this.#errors.set(id, error);
    if (this.#errors.size > MOST_REMEMBERED) {
      this.#errors.delete(this.#errors.keys().next().value as string);
    }
    const name = error instanceof Error ? error.name : typeof error;
    const text = error instanceof Error ? error.message : String(error);
    const data: WireErrorData = {
      kind: isOurs ? error.kind : CallbackError.kind,
      retryable: isOurs && error.retryable,
      details: { ...(isOurs ? error.details : {}), name, message: text, errorId: id },
      stack: error instanceof Error ? (error.stack ?? null) : null,
    };
    if (isOurs && error.errorId !== null) data.errorId = error.errorId;
    return new ResponseError(isOurs ? error.code : CallbackError.code, text || name, data);
  }

  /** Return the error of this package that an answer of the core stands for. */
  fromWire(error: unknown): Error {
    if (!(error instanceof ResponseError)) {
      return error instanceof Error ? error : new RpcError(String(error));
    }
    if (error.code === ErrorCodes.MessageWriteError && error.data === undefined) {
      return new MessageTooLargeError(error.message);
    }
    const data = (error.data ?? {}) as WireErrorData;
    const known = data.kind === undefined ? undefined : ERRORS[data.kind];
    const Class = known ?? Object.values(ERRORS).find((one) => one.code === error.code) ?? RpcError;
    const id = data.details?.errorId;
    return new Class(error.message, {
      details: data.details ?? {},
      hint: data.hint ?? null,
      retryable: data.retryable ?? false,
      errorId: data.errorId ?? null,
      cause: typeof id === "string" ? this.#errors.get(id) : undefined,
    });
  }
}
