import type { SessionErrorCode } from "../../contract.ts";

/** What your node throws: `throw new SessionError("NOT_FOUND", "no such session")`. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
