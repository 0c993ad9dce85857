import type { AdvisorErrorCode } from "../../contract.ts";

/** What your node throws: `throw new AdvisorError("TARGET_UNAVAILABLE", "the target gave no answer")`. */
export class AdvisorError extends Error {
  override readonly name = "AdvisorError";
  readonly code: AdvisorErrorCode;

  constructor(code: AdvisorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Says which task a function waits for. None is left when you are done. */
export class NotImplemented extends Error {
  override readonly name = "NotImplemented";
  readonly code = "NOT_IMPLEMENTED";
}
