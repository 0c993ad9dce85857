import type { SessionErrorCode } from "../contract.ts";

/** What your node throws: `throw new SessionError("NOT_FOUND", "no such session")`. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Says which task a function waits for. None is left when you are done. */
export class NotImplemented extends Error {
  override readonly name = "NotImplemented";
  readonly code = "NOT_IMPLEMENTED";
}
