/** Every error that a caller can see is made here. */
import type { SessionErrorCode } from "../contract.ts";

export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function notFound(): SessionError {
  return new SessionError("NOT_FOUND", "There is no such session, or it has ended.");
}

export function versionConflict(expected: number): SessionError {
  return new SessionError(
    "VERSION_CONFLICT",
    `The session is no longer at version ${expected}: read it again before you write.`,
  );
}

export function unavailable(message: string, cause?: unknown): SessionError {
  return new SessionError("STORE_UNAVAILABLE", message, cause === undefined ? {} : { cause });
}

/**
 * What a store threw, as a caller may see it. Whatever isn't an answer of ours means that the store
 * could not answer: failing closed is right even for errors that nobody foresaw.
 */
export function asSessionError(error: unknown, store: string): SessionError {
  if (error instanceof SessionError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return unavailable(`${store} gave no safe answer (${reason}).`, error);
}
