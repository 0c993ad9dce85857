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
