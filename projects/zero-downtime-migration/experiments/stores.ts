/** Both stores with their tables, accounts in legacy, and a node of the reference, for the experiments. */
import type { Lease } from "@db-katas/engines";
import type { Stage } from "@db-katas/measure";
import pg from "pg";
import type { MigrationNode, Phase } from "../contract.ts";
import reference from "../src/index.ts";

export const bothStores = {
  legacy: { engine: "postgres" },
  modern: { engine: "postgres" },
} as const;

/** As the contract has them. */
const TABLES = {
  legacy: `CREATE TABLE accounts (id text PRIMARY KEY, email text, cents text, closed_on text,
    updated_at timestamptz)`,
  modern: `CREATE TABLE accounts (id text PRIMARY KEY, email text NOT NULL,
    balance_cents bigint NOT NULL, closed_on date)`,
};

/** A step of the copy, in rows. */
const STEP = 1_000;

export type Leases = Stage["leases"];

/** Creates both tables, and accounts in legacy's: `a0000000`, `a0000001` … */
export async function fillLegacy(leases: Leases, accounts: number): Promise<void> {
  for (const name of ["legacy", "modern"] as const) {
    // As in the exercise, the tables are the application's.
    const client = new pg.Client({ connectionString: await leaseOf(leases, name).urlFor("setup") });
    await client.connect();
    try {
      await client.query(TABLES[name]);
      if (name === "legacy") {
        await client.query(
          `INSERT INTO accounts
           SELECT 'a' || lpad(n::text, 7, '0'), n || '@example.org', n::text, '', now()
           FROM generate_series(0, $1 - 1) AS n`,
          [accounts],
        );
        await client.query("VACUUM ANALYZE accounts");
      }
    } finally {
      await client.end();
    }
  }
}

export const idOf = (n: number): string => `a${String(n).padStart(7, "0")}`;

/** A node of the reference, with everything copied where the phase says that it is. */
export async function openNodeOn(
  leases: Leases,
  { phase, requestBudgetMs }: { readonly phase: Phase; readonly requestBudgetMs: number },
): Promise<MigrationNode> {
  for (const name of ["legacy", "modern"] as const) {
    await reference.migrate({ name, url: await leaseOf(leases, name).urlFor("migrations") });
  }
  const node = await reference.createNode({
    name: "a",
    legacy: await leaseOf(leases, "legacy").urlFor("a"),
    modern: await leaseOf(leases, "modern").urlFor("a"),
    requestBudgetMs,
  });
  await node.setPhase(phase);
  while (phase !== "legacy" && !(await node.backfill(STEP)).done);
  return node;
}

/** A pool of the application's, past the reference. */
export async function poolOf(leases: Leases, name: "legacy" | "modern"): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: await leaseOf(leases, name).urlFor("a") });
  // What breaks while nobody uses it is found out by the next one who does.
  pool.on("error", () => {});
  return pool;
}

export function leaseOf(leases: Leases, name: "legacy" | "modern"): Lease {
  const lease = leases[name];
  if (!lease) throw new Error(`The experiment names no ${name}.`);
  return lease;
}
