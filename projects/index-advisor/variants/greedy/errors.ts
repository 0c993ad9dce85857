import type { AdvisorErrorCode } from "../../contract.ts";

export type Place = "target" | "scratch";

export class AdvisorError extends Error {
  override readonly name = "AdvisorError";
  readonly code: AdvisorErrorCode;

  constructor(code: AdvisorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Classes of SQLSTATE that say that the server is gone, full, or not ready (PostgreSQL, appendix A). */
const AWAY = /^(08|53|57P|XX)/;

export function stateOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : "";
}

/** A statement was wrong, or took too long: the connection is as good as before. */
export function isStatements(error: unknown): boolean {
  const state = stateOf(error);
  return state !== "" && !AWAY.test(state);
}

export function explained(place: Place, error: unknown): AdvisorError {
  if (error instanceof AdvisorError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const state = stateOf(error);
  if (state === "42501" || state.startsWith("28")) {
    return new AdvisorError(
      "NO_PERMISSION",
      `The ${place} refused: ${message}. Grant the advisor's role what is missing, or use another role.`,
      { cause: error },
    );
  }
  return new AdvisorError(
    place === "target" ? "TARGET_UNAVAILABLE" : "SCRATCH_UNAVAILABLE",
    `The ${place} gave no answer: ${message}. Is the server up, and its address right? Then call again.`,
    { cause: error },
  );
}
