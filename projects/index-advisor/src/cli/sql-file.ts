/** Statements from a file. */
import { readFile } from "node:fs/promises";
import { scan } from "libpg-query";
import type { Statement } from "../../contract.ts";
import { badSqlFile, nothingToRead } from "./errors.ts";

/** @throws ToolError `BAD_SQL_FILE`, `NOTHING_TO_READ` */
export async function statementsIn(path: string): Promise<readonly Statement[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw badSqlFile(
      path,
      `can't be read (${error.code ?? error.message})`,
      "give the path of a file that is there.",
      error,
    );
  });
  const statements = await separated(text, path);
  if (statements.length === 0) throw nothingToRead(path);
  return statements;
}

const CALLS = /^--\s*calls:\s*(.*?)\s*$/i;

/**
 * Divides a text at its semicolons, by PostgreSQL's own scanner: one within a text or a comment is
 * none. `-- calls: 120` before a statement, or within it, says how often it runs; without it, once. A
 * statement need not be right: that is for the advisor to say.
 *
 * @param path for messages
 */
export async function separated(text: string, path: string): Promise<readonly Statement[]> {
  const { tokens } = await scan(text).catch((error) => {
    throw badSqlFile(
      path,
      "can't be read as SQL",
      "look for a quote, a dollar quote or a /* that is never closed.",
      error,
    );
  });
  // The scanner counts bytes.
  const bytes = Buffer.from(text);
  const statements: Statement[] = [];
  let calls = 1;
  let begin: number | undefined;
  let end = 0;
  const finish = () => {
    if (begin !== undefined) statements.push({ sql: bytes.toString("utf8", begin, end), calls });
    calls = 1;
    begin = undefined;
  };
  for (const token of tokens) {
    if (token.tokenName === "SQL_COMMENT") calls = callsIn(token.text, path) ?? calls;
    else if (token.text === ";") finish();
    else if (token.tokenName !== "C_COMMENT") {
      begin ??= token.start;
      end = token.end;
    }
  }
  finish();
  return statements;
}

function callsIn(comment: string, path: string): number | undefined {
  const [, said] = CALLS.exec(comment) ?? [];
  if (said === undefined) return undefined;
  const calls = Number(said);
  if (said !== "" && calls > 0 && Number.isFinite(calls)) return calls;
  throw badSqlFile(
    path,
    `has "${comment}", which is no number of calls`,
    "write a positive number: -- calls: 120",
  );
}
