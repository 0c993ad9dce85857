/** Errors of the tool itself; those of the advisor are in `../errors.ts`. */

export type ToolErrorCode =
  | "BAD_OPTION"
  | "BAD_SQL_FILE"
  | "COPY_IMPOSSIBLE"
  | "COPY_MISSING"
  | "NOTHING_TO_READ"
  | "SAME_DATABASE"
  | "SERVER_TOO_OLD";

export class ToolError extends Error {
  override readonly name = "ToolError";
  readonly code: ToolErrorCode;

  constructor(code: ToolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function badOption(option: string, value: string, expected: string): ToolError {
  return new ToolError("BAD_OPTION", `${option} ${value} can't be understood. Give ${expected}.`);
}

export function badSqlFile(path: string, what: string, remedy: string, cause?: unknown): ToolError {
  return new ToolError("BAD_SQL_FILE", `${path} ${what}.\nWhat to do: ${remedy}`, { cause });
}

/** @param dump line to type, without passwords */
export function copyMissing(dump: string): ToolError {
  return new ToolError(
    "COPY_MISSING",
    `Advice is measured on a copy, and none was named.
What to do: make one, on a server of the same kind, and name it with --scratch-url. With PostgreSQL's own tools:
  ${dump}
Or say --make-copy, where nobody needs the database for a minute: it lets nobody in while it is copied.`,
  );
}

/** @param dump line to type, without passwords */
export function copyImpossible(why: string, dump: string, cause?: unknown): ToolError {
  return new ToolError(
    "COPY_IMPOSSIBLE",
    `Advice is measured on a copy, and none could be made: ${why}.
What to do: make one, on a server of the same kind, and name it with --scratch-url. With PostgreSQL's own tools:
  ${dump}`,
    { cause },
  );
}

export function nothingToRead(by: string): ToolError {
  return new ToolError(
    "NOTHING_TO_READ",
    `${by} has no statement.
Likely cause: ${by === "pg_stat_statements" ? "it was reset a moment ago, or nobody but an advisor has asked this database anything since." : "it is empty, or all of it is in comments."}
What to do: ${by === "pg_stat_statements" ? "let the application work for a while, or give statements with --sql." : "give a file with statements, each ended by a semicolon."}`,
  );
}

export function sameDatabase(): ToolError {
  return new ToolError(
    "SAME_DATABASE",
    `--scratch-url names the very database that --url names.
Likely cause: one address was copied and not changed.
What to do: name a copy. Indexes are built and dropped there, which would be in everybody's way here.`,
  );
}

export function serverTooOld(which: string, version: string): ToolError {
  return new ToolError(
    "SERVER_TOO_OLD",
    `${which} is PostgreSQL ${version}; 15 is the oldest that this works with.
What to do: restore a dump of it into a newer server, and let yourself be advised there.`,
  );
}
