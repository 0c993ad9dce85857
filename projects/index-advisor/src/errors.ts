/** Every error that a caller can see is made here. */
import type { AdvisorErrorCode } from "../contract.ts";

/** Which of a node's two databases something is about. */
export type Role = "target" | "scratch";

export class AdvisorError extends Error {
  override readonly name = "AdvisorError";
  readonly code: AdvisorErrorCode;

  constructor(code: AdvisorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const names: Readonly<Record<Role, string>> = {
  target: "The target",
  scratch: "The copy (scratch)",
};

export function unavailable(role: Role, cause?: unknown): AdvisorError {
  const code = role === "target" ? "TARGET_UNAVAILABLE" : "SCRATCH_UNAVAILABLE";
  return new AdvisorError(
    code,
    `${names[role]} gave no answer in time${reason(cause)}. Look whether the server runs and can be reached at the address that the node was given, and try again: nothing is left half done that a further call would not put right.`,
    { cause },
  );
}

/** @param what the call was about to do: "build an index on public.orders" */
export function noPermission(role: Role, what: string, cause?: unknown): AdvisorError {
  return new AdvisorError(
    "NO_PERMISSION",
    `${names[role]} refused to ${what}${reason(cause)}. ${remedies[role]}`,
    { cause },
  );
}

const remedies: Readonly<Record<Role, string>> = {
  target:
    "Reading what everybody asks takes membership in pg_read_all_stats; building and dropping indexes takes the owner of the tables.",
  scratch:
    "Give the node a role there that owns the tables, or is a member of their owner, and may write.",
};

export function extensionMissing(why: string, cause?: unknown): AdvisorError {
  return new AdvisorError(
    "EXTENSION_MISSING",
    `The target has no workload to collect: ${why}. Put pg_stat_statements into shared_preload_libraries, restart the server, and run CREATE EXTENSION pg_stat_statements in this database.`,
    { cause },
  );
}

export function extensionTooOld(cause: unknown): AdvisorError {
  return new AdvisorError(
    "EXTENSION_MISSING",
    `The target's pg_stat_statements is too old to be read (${messageOf(cause)}). Likely cause: the server was upgraded, and the extension stayed as it was. As its owner, run ALTER EXTENSION pg_stat_statements UPDATE in this database.`,
    { cause },
  );
}

export function sameDatabase(): AdvisorError {
  return new AdvisorError(
    "SCRATCH_UNAVAILABLE",
    "There is no copy: scratch names the very database that target names. Indexes are built and dropped on a copy, which would be in everybody's way here. Likely cause: one address was copied and not changed. Give the node the address of a copy.",
  );
}

/** SQLSTATE of what the server answered; `undefined` where it didn't answer. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && "severity" in Object(error)
    ? code
    : undefined;
}

/** `pg` has no class and no code for what happens on this side of a connection. */
const losses =
  /^(Connection terminated|Client (was closed|has encountered a connection error)|Query read timeout|timeout expired)/;

/**
 * The connection is of no use any more, or never was: a system error (`ECONNRESET` …), or one of 08, 53300, 57P
 * and 3D000 of PostgreSQL's manual, appendix A. The rest of class 53 (memory, disk, `temp_file_limit`) ends the
 * statement that wanted too much, not the connection.
 */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const state = sqlState(error);
  if (state !== undefined) return /^(08|53300|57P)/.test(state) || state === "3D000";
  return "errno" in error || error instanceof AggregateError || losses.test(error.message);
}

/** Insufficient privilege, a wrong role or password, or a database that only reads. */
export function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && /^(42501|28|25006)/.test(state);
}

/** What a caller gets to see of an error of `pg`. */
export function explained(role: Role, what: string, error: unknown): unknown {
  if (error instanceof AdvisorError) return error;
  if (isRefusal(error)) return noPermission(role, what, error);
  // 57014, 55P03: our own statement_timeout and lock_timeout, which are part of the call's budget.
  if (isConnectionLoss(error) || /^(57014|55P03)$/.test(sqlState(error) ?? "")) {
    return unavailable(role, error);
  }
  return error;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function reason(cause: unknown): string {
  return cause === undefined ? "" : ` (${messageOf(cause)})`;
}
