/** What the server itself says of expressions and conditions, asked on an empty table like the real one. */
import type pg from "pg";
import type { Table } from "../catalog.ts";
import { bare, quote } from "../ddl.ts";

export interface Settled {
  /** As the server writes it. */
  readonly sql: string;
  /** `pg_type.typname`. */
  readonly type: string;
}

/** `undefined_object`: a type without operators for a btree; GiST has some of those. */
const NO_OPERATOR_CLASS = "42704";

const INDEX = `
SELECT pg_get_indexdef(i.indexrelid, 1, false) AS key, pg_get_expr(i.indpred, i.indrelid) AS condition, t.typname AS type
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = 1
JOIN pg_type t ON t.oid = a.atttypid
WHERE i.indrelid = $1::regclass`;

interface IndexRow {
  readonly key: string;
  readonly condition: string | null;
  readonly type: string;
}

/** Live while `inTrial` runs. */
export interface Trial {
  /** `undefined` for what no index can have as its key: it isn't immutable, say. */
  expression(table: Table, sql: string): Promise<Settled | undefined>;
  /** The same for a partial index's predicate. */
  condition(table: Table, sql: string): Promise<string | undefined>;
}

async function attempt(
  scratch: pg.Client,
  create: string,
  table: string,
): Promise<IndexRow | string> {
  try {
    // One round trip; what follows a refusal isn't run.
    const results: unknown = await scratch.query(
      `SAVEPOINT trial; ${create}; ${INDEX.replace("$1", `'${table}'`)}; ROLLBACK TO trial`,
    );
    const [, , found] = results as [unknown, unknown, pg.QueryResult<IndexRow>];
    return found.rows[0] ?? "";
  } catch (error) {
    // What broke the connection breaks this, too, and then it throws.
    await scratch.query("ROLLBACK TO trial");
    return error instanceof Error && "code" in error ? String(error.code) : "";
  }
}

/** All in one transaction, which is rolled back. @throws pg's errors where the copy can't be written to at all */
export async function inTrial(
  scratch: pg.Client,
  use: (trial: Trial) => Promise<void>,
): Promise<void> {
  const trials = new Map<Table, string>();
  const on = async (table: Table): Promise<string> => {
    const known = trials.get(table);
    if (known !== undefined) return known;
    const name = `index_advisor_trial_${trials.size}`;
    const like = `${quote(table.schema)}.${quote(table.name)}`;
    await scratch.query(`CREATE TEMPORARY TABLE ${name} (LIKE ${like})`);
    trials.set(table, `pg_temp.${name}`);
    return `pg_temp.${name}`;
  };
  const answers = new Map<string, IndexRow | string>();
  /** @returns an SQLSTATE where the server refused */
  const index = async (table: Table, rest: string): Promise<IndexRow | string> => {
    const create = `CREATE INDEX ON ${await on(table)} ${rest}`;
    const known = answers.get(create);
    if (known !== undefined) return known;
    const answer = await attempt(scratch, create, await on(table));
    answers.set(create, answer);
    return answer;
  };
  await scratch.query("BEGIN");
  try {
    await use({
      async expression(table, sql) {
        let found = await index(table, `((${sql}))`);
        if (found === NO_OPERATOR_CLASS) found = await index(table, `USING gist ((${sql}))`);
        return typeof found === "string" ? undefined : { sql: bare(found.key), type: found.type };
      },
      async condition(table, sql) {
        const found = await index(table, `((1)) WHERE ${sql}`);
        return typeof found === "string" || found.condition === null
          ? undefined
          : bare(found.condition);
      },
    });
  } finally {
    await scratch.query("ROLLBACK");
  }
}
