/** Every error that a caller can see is made here. */
import type { MigrationErrorCode, StoreName } from "../contract.ts";

export class MigrationError extends Error {
  override readonly name = "MigrationError";
  readonly code: MigrationErrorCode;

  constructor(code: MigrationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function notFound(id: string): MigrationError {
  return new MigrationError("NOT_FOUND", `There is no account ${id}.`);
}

export function alreadyExists(id: string): MigrationError {
  return new MigrationError("ALREADY_EXISTS", `There is an account ${id} already.`);
}

/** @param why what stands in the way, and what the operator can do about it */
export function notReady(why: string, cause?: unknown): MigrationError {
  return new MigrationError("NOT_READY", why, { cause });
}

export function unavailable(store: StoreName, cause?: unknown): MigrationError {
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  return new MigrationError("STORE_UNAVAILABLE", `${store} gave no answer in time${reason}.`, {
    cause,
  });
}

/** The store doesn't have the last word (any more): nothing was written to it. */
export class Closed extends Error {
  override readonly name = "Closed";
}

/** What went wrong did so before anything was written: it may be tried elsewhere. */
export class Unreached extends Error {
  override readonly name = "Unreached";
}
