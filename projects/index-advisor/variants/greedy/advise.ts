import type { Advice, AdviseRequest, NodeConfig, Rejected, Skipped } from "../../contract.ts";
import { candidatesOf, isOurs, unique } from "./candidates.ts";
import { type Catalog, readCatalog } from "./catalog.ts";
import { type Connection, connected, MARK, quoted, within } from "./connection.ts";
import { superfluous } from "./drops.ts";
import { isStatements, stateOf } from "./errors.ts";
import { type Choice, choose } from "./greedy.ts";
import { Laboratory, type Query } from "./laboratory.ts";
import { NotUnderstood, type Understood, understood } from "./statements.ts";
import { instancesOf } from "./values.ts";

/** One at a time on one copy, whichever node asks: each builds there, and hides what it has built. */
const COPY_LOCK = 1_768_189_033;
/** The shortest limit of a statement, however many there are, in milliseconds. */
const LEAST_MS = 20;

export async function advise(config: NodeConfig, request: AdviseRequest): Promise<Advice> {
  const until = Date.now() + config.requestBudgetMs * 0.7;
  const catalog = await catalogOf(config);
  await using client = await connected("scratch", config.scratch, {
    statementMs: config.requestBudgetMs * 0.9,
  });
  return await within("scratch", async () => {
    await client.query(`${MARK} SELECT pg_advisory_lock(${COPY_LOCK})`);
    const statementMs = Math.max(100, Math.round(config.requestBudgetMs / 10));
    await client.query(`${MARK} SELECT set_config('statement_timeout', '${statementMs}ms', false)`);
    await cleaned(client, catalog);
    const looking = { mostMs: statementMs, until: Date.now() + config.requestBudgetMs * 0.1 };
    const { queries, skipped, stopped } = await understand(client, request, catalog, looking);
    // Those that take long are stopped again and again: there must be time for all of them.
    const leftMs = Math.max(0, until - Date.now());
    const runMs = Math.max(
      LEAST_MS,
      Math.min(statementMs, Math.round((leftMs * 0.3) / (stopped + 1))),
    );
    const laboratory = new Laboratory(client, catalog, runMs);
    const rejected: Rejected[] = [];
    try {
      await client.query("SET statement_timeout = 0");
      const candidates = unique(
        queries
          .toSorted((a, b) => b.calls - a.calls)
          .flatMap((query) => candidatesOf(query, catalog)),
      );
      for (const candidate of candidates) {
        const late = Date.now() > until - config.requestBudgetMs * 0.2;
        const why = late ? "no time was left to try it" : await laboratory.build(candidate);
        if (why) rejected.push({ sql: `CREATE INDEX ${candidate.rest}`, why });
      }
      await laboratory.looked();
      await client.query(`SET statement_timeout = ${runMs}`);
      const budgetBytes = request.budgetBytes ?? Number.POSITIVE_INFINITY;
      const choice = await choose(laboratory, queries, budgetBytes, until);
      for (const built of laboratory.built) {
        if (choice.set.includes(built)) continue;
        const why =
          built.sizeBytes > budgetBytes ? "over budget" : "didn't help enough when measured";
        rejected.push({ sql: `CREATE INDEX ${built.candidate.rest}`, why });
      }
      return {
        ...adviceOf(choice, queries),
        drop: superfluous(catalog.indexes),
        rejected,
        skipped,
      };
    } finally {
      await client.query("SET statement_timeout = 0").catch(() => {});
      await laboratory.removeAll().catch(() => {});
    }
  });
}

/** A call that broke off has left on the copy what it had built. */
async function cleaned(client: Connection, catalog: Catalog): Promise<void> {
  const own = new Set(catalog.indexes.map(({ schema, name }) => `${schema}.${name}`));
  for (const { schema, name, needed } of (await readCatalog(client)).indexes) {
    if (own.has(`${schema}.${name}`) || needed || !isOurs(name)) continue;
    await client.query(`DROP INDEX ${quoted(schema)}.${quoted(name)}`);
  }
}

async function catalogOf({ target, requestBudgetMs }: NodeConfig): Promise<Catalog> {
  const limits = { statementMs: requestBudgetMs / 3, readOnly: true };
  await using client = await connected("target", target, limits);
  return await within("target", () => readCatalog(client));
}

async function understand(
  client: Connection,
  request: AdviseRequest,
  catalog: Catalog,
  { mostMs, until }: { readonly mostMs: number; readonly until: number },
): Promise<{ queries: Query[]; skipped: Skipped[]; stopped: number }> {
  let stopped = 0;
  const queries: Query[] = [];
  const skipped: Skipped[] = [];
  const fresh = new Set<number>();
  for (const [statement, { sql, calls }] of request.statements.entries()) {
    try {
      const text = sql.replace(/\binterval\s+(\$\d+)/gi, "$1::interval");
      const meaning = await understood(text, catalog);
      for (const { oid, schema, name } of meaning.tables) {
        // What the copy's statistics say may be older than its rows.
        if (!fresh.has(oid)) await client.query(`ANALYZE ${quoted(schema)}.${quoted(name)}`);
        fresh.add(oid);
      }
      const instances = await instancesOf(client, text, meaning);
      for (const { sql: text } of instances) {
        const limitMs = Math.min(mostMs, Math.round((until - Date.now()) / 2));
        if (!(await tried(client, text, Math.max(LEAST_MS, limitMs)))) stopped += 1;
      }
      const touches = touchedBy(meaning, catalog);
      queries.push({ ...meaning, statement, calls, instances, touches });
    } catch (error) {
      if (!(error instanceof NotUnderstood || isStatements(error))) throw error;
      skipped.push({ statement, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { queries, skipped, stopped };
}

function touchedBy({ tables, written }: Understood, { foreignKeys }: Catalog): Set<number> {
  const touched = new Set(tables.map(({ oid }) => oid));
  // A row that goes may take others with it, and those others.
  let grown = written ? [written.oid] : [];
  while (grown.length > 0) {
    for (const oid of grown) touched.add(oid);
    grown = foreignKeys
      .filter(({ parent, child }) => grown.includes(parent) && !touched.has(child))
      .map(({ child }) => child);
  }
  return touched;
}

/** @returns whether it came to an end @throws what is wrong with a statement that can be parsed: a column that isn't there, a division by zero */
async function tried(client: Connection, sql: string, limitMs: number): Promise<boolean> {
  await client.query(`BEGIN; SET LOCAL statement_timeout = ${limitMs}`);
  try {
    await client.query(`EXPLAIN ANALYZE ${sql}`);
    return true;
  } catch (error) {
    // Who takes long, or violates a constraint with these values, is in order.
    if (!/^(57014|23...)$/.test(stateOf(error))) throw error;
    return stateOf(error) !== "57014";
  } finally {
    await client.query("ROLLBACK").catch(() => {});
  }
}

function adviceOf(
  { set, before, after, helps }: Choice,
  queries: readonly Query[],
): Pick<Advice, "create" | "beforeMs" | "afterMs"> {
  const msOf = (outcomes: Choice["before"]) => (query: Query) => outcomes.get(query)?.ms ?? 0;
  const sum = (ms: (query: Query) => number) =>
    queries.reduce((total, query) => total + query.calls * ms(query), 0);
  return {
    create: set.map((built) => ({
      name: built.candidate.name,
      sql: `CREATE INDEX CONCURRENTLY ${quoted(built.candidate.name)} ${built.candidate.rest}`,
      sizeBytes: built.sizeBytes,
      evidence: (helps.get(built) ?? []).map((query) => ({
        statement: query.statement,
        beforeMs: msOf(before)(query),
        afterMs: msOf(after)(query),
      })),
    })),
    beforeMs: sum(msOf(before)),
    afterMs: sum(msOf(after)),
  };
}
