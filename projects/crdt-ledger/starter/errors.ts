import type { LedgerErrorCode } from "../contract.ts";

/** What callers tell apart by its `code`. */
export class LedgerError extends Error {
  override readonly name = "LedgerError";
  readonly code: LedgerErrorCode;

  constructor(code: LedgerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Says which task a function waits for. None is left when you are done. */
export class NotImplemented extends Error {
  override readonly name = "NotImplemented";
  readonly code = "NOT_IMPLEMENTED";
}
