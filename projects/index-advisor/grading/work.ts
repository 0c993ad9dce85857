import type pg from "pg";

/** A statement as the grader runs it, in place of one of the workload: without parameters. */
export interface Probe {
  readonly sql: string;
  /** How often it ran. */
  readonly calls: number;
}

/** What one run of a statement takes. */
export interface Work {
  /** Blocks touched, whether cached or not, by the statement itself; what its triggers touch is not in it. */
  readonly blocks: number;
  /** Rows looked at, its triggers' included. */
  readonly rows: number;
  /** As EXPLAIN (ANALYZE) tells the time of the execution, triggers included, in milliseconds. */
  readonly ms: number;
  /** Of the rows that it updated, those without a new entry in any index (PostgreSQL's manual, 73.7, "HOT"). */
  readonly hot: number;
}

interface Explained {
  readonly "Execution Time": number;
  readonly Plan: Readonly<Record<string, unknown>>;
}

const counters = `SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::float8 AS rows,
  coalesce(sum(n_tup_hot_upd), 0)::float8 AS hot FROM pg_stat_xact_user_tables`;

/**
 * Runs it with the plan that PostgreSQL chooses now, and takes back whatever it changed. The number of
 * blocks is the same for the same plan over the same rows, but for what a first run after DDL looks up.
 */
export async function workOf(client: pg.Client, sql: string): Promise<Work> {
  return undone(client, async () => {
    await client.query("SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0");
    const before = await counted(client);
    const { rows } = await client.query<{ "QUERY PLAN": readonly Explained[] }>(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${sql}`,
    );
    const explained = rows[0]?.["QUERY PLAN"][0];
    if (!explained) throw new Error(`PostgreSQL explains nothing of: ${sql}`);
    const count = (name: string) => Number(explained.Plan[name] ?? 0);
    const after = await counted(client);
    return {
      blocks: count("Shared Hit Blocks") + count("Shared Read Blocks"),
      rows: after.rows - before.rows,
      hot: after.hot - before.hot,
      ms: explained["Execution Time"],
    };
  });
}

async function counted(client: pg.Client): Promise<{ rows: number; hot: number }> {
  const { rows } = await client.query<{ rows: number; hot: number }>(counters);
  return rows[0] ?? { rows: 0, hot: 0 };
}

/** @returns by statement, in the order given */
export async function blocksOf(client: pg.Client, sql: readonly string[]): Promise<number[]> {
  const blocks: number[] = [];
  for (const each of sql) {
    // A first run also counts what the server has yet to read of its own catalogue.
    const first = (await workOf(client, each)).blocks;
    blocks.push(Math.min(first, (await workOf(client, each)).blocks));
  }
  return blocks;
}

/** Of the whole workload: Σ calls × blocks per call. @param blocks by statement, in the same order */
export function totalOf(probes: readonly Probe[], blocks: readonly number[]): number {
  return probes.reduce((sum, { calls }, index) => sum + calls * (blocks[index] ?? 0), 0);
}

/** By statement, the median of several runs, which take turns, in milliseconds. */
export async function medianMs(
  client: pg.Client,
  sql: readonly string[],
  runs = 5,
): Promise<number[]> {
  const times = sql.map((): number[] => []);
  for (let run = 0; run < runs; run++) {
    for (const [index, each] of sql.entries()) {
      times[index]?.push((await workOf(client, each)).ms);
    }
  }
  return times.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0);
}

const depths = new WeakMap<pg.Client, number>();

/** What is done in it is undone: rows are as before, an index that was dropped is there again. May be nested. */
export async function undone<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  const depth = depths.get(client) ?? 0;
  depths.set(client, depth + 1);
  await client.query(depth === 0 ? "BEGIN" : `SAVEPOINT kata_${depth}`);
  try {
    return await work();
  } finally {
    await client.query(depth === 0 ? "ROLLBACK" : `ROLLBACK TO SAVEPOINT kata_${depth}`);
    depths.set(client, depth);
  }
}
