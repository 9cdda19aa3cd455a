/** The base of every error that the core reports, or that this package raises on purpose. */

/** What an error carries besides its text. */
export interface ErrorFields {
  /** The attributes of the error, such as `clientId`. */
  details?: Record<string, unknown>;
  /** What to do about it, in one line. */
  hint?: string | null;
  /** The same request may succeed later. */
  retryable?: boolean;
  /** Names the error in the core, so that it is the same one when it is thrown on. */
  errorId?: string | null;
  /** What a function of this program threw. */
  cause?: unknown;
}

/** Base of everything that goes wrong on purpose; `kind` and `code` are the same in Python. */
export class SwarmError extends Error {
  static readonly kind: string = "swarm_error";
  static readonly code: number = -32000;

  /** Stable identifier of the class. */
  readonly kind: string;
  /** The JSON-RPC error number of the class. */
  readonly code: number;
  readonly details: Readonly<Record<string, unknown>>;
  readonly hint: string | null;
  readonly retryable: boolean;
  readonly errorId: string | null;

  constructor(message: string, fields: ErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    const own = new.target as typeof SwarmError;
    this.name = own.name;
    this.kind = own.kind;
    this.code = own.code;
    this.details = fields.details ?? {};
    this.hint = fields.hint ?? null;
    this.retryable = fields.retryable ?? false;
    this.errorId = fields.errorId ?? null;
  }
}
