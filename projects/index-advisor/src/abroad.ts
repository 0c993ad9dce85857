/** What would reach other servers: a copy has the target's foreign tables, with the addresses of the real ones. */
import { parse } from "libpg-query";
import type pg from "pg";

/** `schema.table` of foreign tables, and of those that have one among their partitions or children. */
export async function tablesAbroad(client: pg.Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `WITH RECURSIVE abroad (oid) AS (
       SELECT oid FROM pg_class WHERE relkind = 'f'
       UNION SELECT h.inhparent FROM pg_inherits h JOIN abroad a ON a.oid = h.inhrelid)
     SELECT n.nspname || '.' || c.relname AS name
     FROM abroad JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace`,
  );
  return new Set(rows.map(({ name }) => name));
}

interface Node {
  readonly "Node Type"?: string;
  readonly "Relation Name"?: string;
  readonly Schema?: string;
  readonly Operation?: string;
  readonly "Target Tables"?: readonly Node[];
  readonly Plans?: readonly Node[];
}

export interface Explanation {
  readonly sql: string;
  /** What `EXPLAIN (VERBOSE, FORMAT JSON)` returned for it. */
  readonly rows: readonly { readonly "QUERY PLAN": readonly { readonly Plan: Node }[] }[];
}

/**
 * Measuring a statement runs it. What it writes is rolled back, but for what servers without transactions were
 * told; and the rows that it locks over there are everybody's.
 *
 * @throws Error with the reason, for people, why it can't be run
 */
export async function assertAtHome(
  { sql, rows }: Explanation,
  abroad: ReadonlySet<string>,
): Promise<void> {
  const plans = rows.flatMap((row) => row["QUERY PLAN"]);
  if (plans.length !== 1) {
    throw new Error(
      `A rule makes ${plans.length} statements of it, and only a single one can be measured.`,
    );
  }
  const nodes = plans.flatMap(({ Plan }) => [...all(Plan)]);
  const isScan = (node: Node) => node["Node Type"] === "Foreign Scan";
  const writes = nodes.some((node) =>
    node["Node Type"] === "ModifyTable"
      ? [node, ...(node["Target Tables"] ?? [])].some((each) => abroad.has(nameOf(each)))
      : isScan(node) && node.Operation !== undefined && node.Operation !== "Select",
  );
  if (writes || (nodes.some(isScan) && (await locks(sql, nodes)))) {
    throw new Error(
      "It writes to a foreign table, or locks rows there: the copy has the same one, so that the server that it is on would really be asked.",
    );
  }
}

/** The plan doesn't show it where the other server is asked to lock, as postgres_fdw asks. */
async function locks(sql: string, nodes: readonly Node[]): Promise<boolean> {
  if (nodes.some((node) => node["Node Type"] === "LockRows")) return true;
  return JSON.stringify(await parse(sql)).includes('"lockingClause"');
}

function* all(node: Node): Generator<Node> {
  yield node;
  for (const child of node.Plans ?? []) yield* all(child);
}

function nameOf(node: Node): string {
  return `${node.Schema}.${node["Relation Name"]}`;
}
