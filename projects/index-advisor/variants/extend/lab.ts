/**
 * The copy, in one transaction that is rolled back at the end: whatever was built, dropped or written there is
 * undone, also when the connection breaks. Within it, savepoints do the same for each try.
 */
import type { Candidate } from "./candidates.ts";
import { definition } from "./candidates.ts";
import type { Connection } from "./connections.ts";
import { AdvisorError } from "./errors.ts";
import { readingOf } from "./reading.ts";
import { qualified } from "./sql.ts";

export interface Run {
  /** Touched by what reads. What writes touch is another's account: it depends on how full pages are. */
  readonly blocks: number;
  readonly ms: number;
  /** Rows that the statement writes. */
  readonly rows: number;
  readonly indexes: ReadonlySet<string>;
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Total Cost": number;
  readonly "Shared Hit Blocks"?: number;
  readonly "Shared Read Blocks"?: number;
  readonly "Actual Rows"?: number;
  readonly "Index Name"?: string;
  readonly Plans?: readonly PlanNode[];
}

interface Explained {
  readonly Plan: PlanNode;
  readonly "Execution Time"?: number;
}

export class Lab {
  readonly scratch: Connection;

  constructor(scratch: Connection) {
    this.scratch = scratch;
  }

  /** Runs what is rolled back in any case. @throws what the work throws, after the rollback */
  async tried<T>(work: () => Promise<T>): Promise<T> {
    await this.scratch.run("SAVEPOINT tried");
    try {
      return await work();
    } finally {
      // A connection that broke has rolled back by itself.
      await this.scratch.run("ROLLBACK TO tried; RELEASE tried").catch(() => {});
    }
  }

  /** The planner's word for it, in its own units. @throws pg.DatabaseError */
  async cost(sql: string): Promise<number> {
    const { Plan } = await this.#explain("FORMAT JSON", sql);
    return Plan["Total Cost"];
  }

  /** Names of the indexes that the planner would use now. @throws pg.DatabaseError */
  async indexesOf(sql: string): Promise<ReadonlySet<string>> {
    const indexes = new Set<string>();
    collectIndexes((await this.#explain("FORMAT JSON", sql)).Plan, indexes);
    return indexes;
  }

  /** @throws pg.DatabaseError, also when it takes longer than it may */
  async measured(sql: string, limitMs: number): Promise<Run> {
    const began = performance.now();
    try {
      return await this.#analysed(sql, limitMs);
    } catch (error) {
      if (!violates(error)) throw error;
      // A row that is there already, or still referred to: it took its time, and what it reads can be counted.
      const ms = performance.now() - began;
      const reading = readingOf(sql);
      const read = reading && (await this.#analysed(reading, limitMs));
      return { ...(read || { blocks: 0, indexes: new Set() }), ms, rows: 1 };
    }
  }

  async #analysed(sql: string, limitMs: number): Promise<Run> {
    return await this.tried(async () => {
      await this.scratch.run(`SET LOCAL statement_timeout = ${Math.max(1, Math.round(limitMs))}`);
      return run(await this.#explain("ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON", sql));
    });
  }

  /** Leaves the index there. @returns its size in bytes, or why there is none */
  async build(index: Candidate): Promise<number | string> {
    await this.scratch.run("SAVEPOINT build");
    try {
      await this.scratch.run(definition(index));
      await this.scratch.run("RELEASE build");
    } catch (error) {
      if (error instanceof AdvisorError) throw error;
      await this.scratch.run("ROLLBACK TO build; RELEASE build");
      return error instanceof Error ? error.message : String(error);
    }
    const [row] = await this.scratch.rows<{ bytes: string }>(
      "SELECT pg_relation_size($1::text::regclass)::text AS bytes",
      [qualified(index.table.schema, index.name)],
    );
    return Number(row?.bytes);
  }

  async drop(index: Candidate): Promise<void> {
    await this.scratch.run(`DROP INDEX ${qualified(index.table.schema, index.name)}`);
  }

  async #explain(options: string, sql: string): Promise<Explained> {
    const [row] = await this.scratch.rows<{ "QUERY PLAN": readonly Explained[] }>(
      `EXPLAIN (${options}) ${sql}`,
    );
    const explained = row?.["QUERY PLAN"][0];
    if (!explained) throw new Error("EXPLAIN told nothing");
    return explained;
  }
}

/** Class 23 of PostgreSQL's errors: integrity constraints. */
const violates = (error: unknown): boolean =>
  error instanceof Error && "code" in error && String(error.code).startsWith("23");

function run({ Plan, "Execution Time": ms = 0 }: Explained): Run {
  const writes = Plan["Node Type"] === "ModifyTable";
  const reading = writes ? (Plan.Plans ?? []) : [Plan];
  const indexes = new Set<string>();
  collectIndexes(Plan, indexes);
  return {
    blocks: reading.reduce((sum, node) => sum + blocksOf(node), 0),
    ms,
    rows: writes ? Math.max(1, ...reading.map((node) => node["Actual Rows"] ?? 1)) : 0,
    indexes,
  };
}

const blocksOf = (node: PlanNode): number =>
  (node["Shared Hit Blocks"] ?? 0) + (node["Shared Read Blocks"] ?? 0);

function collectIndexes(node: PlanNode, into: Set<string>): void {
  if (node["Index Name"] !== undefined) into.add(node["Index Name"]);
  for (const child of node.Plans ?? []) collectIndexes(child, into);
}
