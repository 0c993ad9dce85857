/** A server of the bench's own, a loaded database on it, and copies. */
import { type Lease, openEngines } from "@db-katas/engines";
import pg from "pg";
import type { Statement } from "../contract.ts";
import { loadWorkload } from "../workloads/index.ts";

export interface Stage extends AsyncDisposable {
  readonly lease: Lease;
  readonly target: string;
  readonly statements: readonly Statement[];
  /** Another one of the same rows, whose owner is the same role. */
  copy(name: string): Promise<string>;
  drop(name: string): Promise<void>;
}

export async function openStage(name: string, scale: number, seed: number): Promise<Stage> {
  const run = await openEngines({ onProgress: console.error });
  const lease = await run.lease("pgextended");
  const workload = await loadWorkload(name);
  const target = await lease.urlFor("bench");
  const size = { scale, seed };
  await using client = await connected(target);
  await workload.load(client.pg, size);
  await client.pg.query("VACUUM (ANALYZE)");
  const owner = new URL(target).username;
  const database = (url: string, other: string) => {
    const changed = new URL(url);
    changed.pathname = `/${other}`;
    return changed.href;
  };
  const admin = async (...sql: readonly string[]) => {
    await using session = await connected(database(lease.engine.adminUrl, "postgres"));
    for (const each of sql) await session.pg.query(each);
  };
  const full = (copy: string) => `${lease.namespace}_${copy}`;
  return {
    lease,
    target,
    statements: workload.statements(size),
    async copy(copy) {
      await admin(`CREATE DATABASE ${full(copy)} TEMPLATE ${lease.namespace} OWNER ${owner}`);
      return database(target, full(copy));
    },
    drop: (copy) => admin(`DROP DATABASE ${full(copy)} WITH (FORCE)`),
    async [Symbol.asyncDispose]() {
      await lease[Symbol.asyncDispose]();
      await run[Symbol.asyncDispose]();
    },
  };
}

/** Live: one connection. */
export interface Connected extends AsyncDisposable {
  readonly pg: pg.Client;
}

export async function connected(url: string): Promise<Connected> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  return { pg: client, [Symbol.asyncDispose]: () => client.end() };
}
