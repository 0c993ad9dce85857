/** Statements that can be taken into account, and why the others can't. */
import type { Node } from "@pgsql/types";
import { parse } from "libpg-query";
import type { Skipped, Statement } from "../../contract.ts";
import type { Catalogue, Table } from "./catalogue.ts";
import type { Deadline } from "./connections.ts";
import { AdvisorError } from "./errors.ts";
import type { Lab } from "./lab.ts";
import { Reader } from "./reader.ts";
import type { Shape } from "./shape.ts";
import { texts } from "./values.ts";

export interface Query {
  readonly statement: number;
  readonly calls: number;
  readonly shape: Shape;
  readonly tables: ReadonlySet<Table>;
  /** Without parameters. Where it had none it is the only one; each counts alike. */
  readonly texts: readonly string[];
  /** Written by each call. */
  readonly rows: number;
}

const USEFUL = ["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"];

/** pg_stat_statements makes `interval $1` of `interval '1 day'`, which is no SQL. */
const TYPED_LITERAL =
  /\b(interval|date|timestamptz|timestamp(?:\s+with(?:out)?\s+time\s+zone)?|time|uuid|jsonb?|inet|point|numeric)\s+(\$\d+)/gi;

async function parsed(sql: string): Promise<{ sql: string; tree: Node }> {
  let text = sql;
  let result = await parse(sql).catch((error) => {
    text = sql.replace(TYPED_LITERAL, "CAST($2 AS $1)");
    if (text === sql) throw error;
    return undefined;
  });
  result ??= await parse(text);
  const [first, ...more] = result.stmts ?? [];
  if (!first?.stmt || more.length > 0) throw new Error("This is not one statement.");
  if (!USEFUL.some((kind) => kind in (first.stmt ?? {}))) {
    throw new Error("Only SELECT, INSERT, UPDATE and DELETE can be helped by an index.");
  }
  // Behind its end there may be a semicolon or a comment that hides what is put after it.
  const bytes = Buffer.from(text);
  const from = first.stmt_location ?? 0;
  const length = first.stmt_len || bytes.length - from;
  return {
    sql: text,
    tree: first.stmt,
    ...(from === 0 ? { sql: bytes.subarray(0, length).toString() } : {}),
  };
}

const message = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

export interface Understood {
  readonly queries: Query[];
  readonly skipped: Skipped[];
}

/** Each is parsed, read, given values, and planned once. What fails in any of these is skipped. */
export async function understood(
  lab: Lab,
  catalogue: Catalogue,
  statements: readonly Statement[],
  deadline: Deadline,
): Promise<Understood> {
  const queries: Query[] = [];
  const skipped: Skipped[] = [];
  // Should time be up too early, it was spent on what is asked most.
  const byCalls = [...statements.entries()].toSorted(([, a], [, b]) => b.calls - a.calls);
  for (const [statement, { sql, calls }] of byCalls) {
    try {
      if (deadline.past(0.3)) throw new Error("There was no time left to look at it.");
      const { sql: text, tree } = await parsed(sql);
      const reader = new Reader(catalogue);
      reader.statement(tree);
      const types = await parameterTypes(lab, text);
      const all = await texts(lab.scratch, text, reader, { types });
      const planned: string[] = [];
      let why: unknown;
      for (const each of all) {
        try {
          await lab.tried(() => lab.cost(each));
          planned.push(each);
        } catch (error) {
          if (error instanceof AdvisorError) throw error;
          why ??= error;
        }
      }
      if (planned.length === 0) throw why ?? new Error("It can't be planned.");
      const tables = new Set(reader.uses.map(({ table }) => table));
      queries.push({ statement, calls, shape: reader, tables, texts: planned, rows: 1 });
    } catch (error) {
      if (error instanceof AdvisorError) throw error;
      skipped.push({ statement, why: message(error) });
    }
  }
  return { queries, skipped };
}

/** As the server infers them; it may not be able to. */
async function parameterTypes(lab: Lab, sql: string): Promise<readonly string[]> {
  if (!/\$\d/.test(sql)) return [];
  try {
    return await lab.tried(async () => {
      await lab.scratch.run(`PREPARE advisor_types AS ${sql}`);
      const [row] = await lab.scratch.rows<{ types: string[] }>(
        "SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = 'advisor_types'",
      );
      await lab.scratch.run("DEALLOCATE advisor_types");
      return row?.types ?? [];
    });
  } catch (error) {
    if (error instanceof AdvisorError) throw error;
    return [];
  }
}
