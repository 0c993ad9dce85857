/** Task 2, first half: which statements can be taken into account, and what they write. */
import { parse } from "libpg-query";
import type { Skipped, Statement } from "../../contract.ts";
import { messageOf } from "./errors.ts";
import { asList, fieldsOf, namesOf, parametersIn, type Tree, walk } from "./trees.ts";

export type Verb = "select" | "insert" | "update" | "delete";

export interface Understood {
  /** Position in the request. */
  readonly statement: number;
  readonly calls: number;
  /** With whatever normalising broke put right. */
  readonly sql: string;
  readonly verb: Verb;
  /** Columns that an UPDATE sets. */
  readonly sets: readonly string[];
  /** Where a parameter goes that is written into a column, by its number. */
  readonly written: ReadonlyMap<number, string>;
  /** Parameters of LIMIT and of OFFSET. */
  readonly limits: ReadonlySet<number>;
  readonly offsets: ReadonlySet<number>;
}

const VERBS: Readonly<Record<string, Verb>> = {
  SelectStmt: "select",
  InsertStmt: "insert",
  UpdateStmt: "update",
  DeleteStmt: "delete",
};

/** What must not be called to see how long it takes: it waits, or reaches beyond what a rollback undoes. */
const OUT_OF_BOUNDS =
  /^(?:pg_(?:sleep|terminate_backend|cancel_backend|advisory|try_advisory|reload_conf|rotate_logfile|promote|switch_wal|create_|drop_|logical_|replication_|read_|ls_|stat_reset|stat_statements_reset)|dblink|lo_|set_config)/;

export async function understood(
  statements: readonly Statement[],
): Promise<{ queries: Understood[]; skipped: Skipped[] }> {
  const queries: Understood[] = [];
  const skipped: Skipped[] = [];
  for (const [statement, { sql, calls }] of statements.entries()) {
    try {
      queries.push({ statement, calls, ...(await analysed(sql)) });
    } catch (error) {
      skipped.push({ statement, why: messageOf(error) });
    }
  }
  return { queries, skipped };
}

async function analysed(original: string): Promise<Omit<Understood, "statement" | "calls">> {
  const sql = await parseable(original);
  const { stmts } = await parse(sql);
  const node = stmts?.[0]?.stmt as Tree | undefined;
  if (node === undefined || stmts?.length !== 1) throw new Error("it is not one statement");
  const kind = Object.keys(node)[0] ?? "";
  const verb = VERBS[kind];
  if (verb === undefined)
    throw new Error(`an index has no part in a ${kind.replace("Stmt", "").toUpperCase()}`);
  const stmt = fieldsOf(node[kind]);
  if (stmt.intoClause !== undefined) throw new Error("SELECT INTO makes a table");
  walk(node, (type, fields) => {
    if (type !== "FuncCall") return;
    const called = namesOf(fields.funcname).at(-1) ?? "";
    if (OUT_OF_BOUNDS.test(called)) throw new Error(`it calls ${called}(), which is not tried out`);
  });
  return { sql, verb, ...writes(verb, node), ...rowCounts(node) };
}

/** `interval '1 day'` becomes `interval $1` in pg_stat_statements, which is no SQL; `$1::interval` is. */
async function parseable(sql: string): Promise<string> {
  try {
    await parse(sql);
    return sql;
  } catch (error) {
    const mended = sql.replace(
      /\b(interval|date|timestamp|timestamptz|time|numeric|jsonb?|uuid)\s+(\$\d+)/gi,
      "$2::$1",
    );
    if (mended === sql) throw error;
    await parse(mended);
    return mended;
  }
}

function writes(verb: Verb, node: Tree): Pick<Understood, "sets" | "written"> {
  const written = new Map<number, string>();
  const note = (column: string, value: unknown) => {
    for (const parameter of parametersIn(value)) {
      if (!written.has(parameter)) written.set(parameter, column);
    }
  };
  const targets = (list: unknown) => asList(list).map((item) => fieldsOf(fieldsOf(item).ResTarget));
  const sets: string[] = [];
  walk(node, (type, fields) => {
    if (type !== "UpdateStmt") return;
    for (const target of targets(fields.targetList)) {
      sets.push(String(target.name));
      note(String(target.name), target.val);
    }
  });
  if (verb === "insert") {
    const stmt = fieldsOf(node.InsertStmt);
    const columns = targets(stmt.cols).map((target) => String(target.name));
    const select = fieldsOf(fieldsOf(stmt.selectStmt).SelectStmt);
    for (const row of asList(select.valuesLists)) {
      const items = asList(fieldsOf(fieldsOf(row).List).items);
      // Without a list of columns they are the table's, in its order: `#n`.
      for (const [at, item] of items.entries()) note(columns[at] ?? `#${at + 1}`, item);
    }
  }
  return { sets, written };
}

function rowCounts(node: Tree): Pick<Understood, "limits" | "offsets"> {
  const limits = new Set<number>();
  const offsets = new Set<number>();
  walk(node, (_type, fields) => {
    for (const parameter of parametersIn(fields.limitCount)) limits.add(parameter);
    for (const parameter of parametersIn(fields.limitOffset)) offsets.add(parameter);
  });
  return { limits, offsets };
}
