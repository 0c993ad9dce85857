import type { LedgerErrorCode } from "../../contract.ts";

/** What callers tell apart by its `code`. */
export class LedgerError extends Error {
  override readonly name = "LedgerError";
  readonly code: LedgerErrorCode;

  constructor(code: LedgerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** No replica of this kind makes such a change. */
export class Unsound extends Error {
  override readonly name = "Unsound";
}

export function invalidEdit(why: string): LedgerError {
  return new LedgerError("INVALID_EDIT", `This can't be done here: ${why}. Look at the view.`);
}
