import { type CheckContext, checksFor } from "@db-katas/grading";
import type { Advisor, Submission } from "../contract.ts";
import { connected, type Role, tablesOf } from "./connections.ts";
import { rememberOnce } from "./fingerprint.ts";
import { secluded } from "./seclusion.ts";

export { connected, privileged, type Role, superuser } from "./connections.ts";

/** What nodes are told that a call may take, in milliseconds: no check measures how quickly advice comes. */
export const BUDGET_MS = 40_000;

export type AdvisorContext = CheckContext<Submission>;
const roles: readonly Role[] = ["target", "scratch"];

/** Checks of this exercise start from two empty databases, and load the same tables into both. */
export const check = checksFor<Submission>({});

/** A node that reaches the databases while it is asked something, and at no other time. */
export async function startAdvisor(
  t: AdvisorContext,
  name = "a",
  requestBudgetMs = BUDGET_MS,
): Promise<Advisor> {
  await rememberOnce(t);
  const [target, scratch] = await Promise.all(roles.map((role) => t.lease(role).urlFor(name)));
  const config = { name, target: target ?? "", scratch: scratch ?? "", requestBudgetMs };
  return secluded(t, name, () => t.start(name, config));
}

/**
 * Runs the same statements in both databases. Then nothing changes the tables' statistics but who means
 * to: autovacuum, which would do so at a moment of its own, is off for them.
 * @param settle also VACUUM (ANALYZE): fresh statistics, and a visibility map for index-only scans
 */
export async function load(
  t: AdvisorContext,
  statements: readonly string[],
  { settle = true }: { readonly settle?: boolean } = {},
): Promise<void> {
  const fill = async (role: Role) => {
    await using client = await connected(t, role);
    for (const sql of statements) await client.query(sql);
    for (const table of await tablesOf(client)) {
      await client.query(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
      if (settle) await client.query(`VACUUM (ANALYZE) ${table}`);
    }
  };
  await Promise.all(roles.map(fill));
}

/**
 * SQL for a whole number from 0 to `below` - 1, drawn for each `i` of a generate_series: even, without
 * any order, and the same in every database.
 * @param salt another one for each column
 */
export function drawn(salt: number, below: number, i = "i"): string {
  return `((hashint8extended(${i}, ${salt}) & 9007199254740991) % ${below})`;
}

/** SQL for 32 hexadecimal digits, likewise; it can't be compressed. */
export function digest(salt: number, i = "i"): string {
  return `md5((hashint8extended(${i}, ${salt}))::text)`;
}
