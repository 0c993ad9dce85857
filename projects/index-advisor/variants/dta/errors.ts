import type { AdvisorErrorCode } from "../../contract.ts";

/** What a call of the contract rejects with. */
export class AdvisorError extends Error {
  override readonly name = "AdvisorError";
  readonly code: AdvisorErrorCode;

  constructor(code: AdvisorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
