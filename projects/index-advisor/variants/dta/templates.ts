/**
 * When two statements are the same but for their constants. PostgreSQL's own fingerprint of the parse tree says:
 * it leaves out constants, how many of them a list has, white space and case.
 */
import { fingerprint } from "libpg-query";

export async function templateOf(sql: string): Promise<string> {
  try {
    return await fingerprint(sql);
  } catch {
    // No statement of PostgreSQL's. What it has of constants still must not tell its copies apart.
    return sql
      .toLowerCase()
      .replace(/'(?:[^']|'')*'|\$\d+|\b\d+(?:\.\d+)?\b/g, "?")
      .replace(/\(\s*\?(?:\s*,\s*\?)*\s*\)/g, "(?)")
      .replace(/\s+/g, " ")
      .trim();
  }
}
