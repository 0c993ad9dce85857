/**
 * Task 6. Builds and drops on the target, one after the other.
 *
 * A concurrent build that fails leaves an invalid index, which every write has to keep up. Its removal waits
 * for the transactions that hold the table up; so it comes last, when the rest of the request is done.
 */
import type { ApplyRequest, ApplyResult } from "../../contract.ts";
import { buildOf } from "./builds.ts";
import { type Connection, INSUFFICIENT_PRIVILEGE, literal, refusalCode } from "./databases.ts";
import { AdvisorError, messageOf } from "./errors.ts";
import { type ExistingIndex, existingIndexes } from "./indexes.ts";

/** Beyond two lock time-outs, how long left-overs are waited for, in milliseconds. */
const TIDY_MS = 11_000;
const LOOK_MS = 50;

export async function apply(
  target: Connection,
  request: ApplyRequest,
  deadline: number,
): Promise<ApplyResult> {
  const tidyBy = Math.min(deadline, Date.now() + 2 * request.lockTimeoutMs + TIDY_MS);
  const work = new Work(target, request, tidyBy);
  for (const { name, sql } of request.create) await work.attempt(name, () => work.build(name, sql));
  for (const { name } of request.drop) await work.attempt(name, () => work.drop(name));
  await work.tidyUp();
  const failed = [...work.failed].map(([name, why]) => ({ name, why }));
  if (work.refusals > 0 && work.refusals === request.create.length + request.drop.length) {
    const reasons = failed.map(({ name, why }) => `${name}: ${why}`).join("; ");
    throw new AdvisorError("NO_PERMISSION", `The target refused all of it. ${reasons}`);
  }
  return { built: work.built, dropped: work.dropped, failed };
}

class Work {
  readonly built: string[] = [];
  readonly dropped: string[] = [];
  /** Why, by name. */
  readonly failed = new Map<string, string>();
  refusals = 0;
  readonly #target: Connection;
  readonly #request: ApplyRequest;
  readonly #tidyBy: number;
  /** Invalid indexes to be removed, quoted, with the name in the request and whether it was to go anyway. */
  readonly #leftOvers = new Map<string, { readonly name: string; readonly wanted: boolean }>();

  constructor(target: Connection, request: ApplyRequest, tidyBy: number) {
    this.#target = target;
    this.#request = request;
    this.#tidyBy = tidyBy;
  }

  /** A thing that fails stops no other; a target that is away stops all. */
  async attempt(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof AdvisorError) throw error;
      if (refusalCode(error) === INSUFFICIENT_PRIVILEGE) this.refusals += 1;
      this.failed.set(name, messageOf(error));
    }
  }

  async build(name: string, sql: string): Promise<void> {
    const build = await buildOf(sql);
    if (build.name !== name) {
      throw new Error(`its statement makes an index called ${build.name}; both need the same name`);
    }
    const [place] = await this.#target.ask(
      `SELECT format('%I.%I', n.nspname, ${literal(name)}::text) AS index, c.relkind AS kind
         FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
         LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ${literal(name)}
        WHERE t.oid = to_regclass(${literal(build.table)})`,
    );
    if (place === undefined) throw new Error(`there is no table ${build.table}`);
    const quoted = String(place.index);
    if (place.kind !== null && place.kind !== "i") {
      throw new Error(`${quoted} exists, and is no index. Choose another name.`);
    }
    const existing = await this.#settled(quoted);
    if (existing?.valid) {
      this.built.push(name);
      return;
    }
    if (existing) {
      const left = this.#left();
      await this.#limit(0, left);
      await this.#target.ask(`DROP INDEX CONCURRENTLY IF EXISTS ${quoted}`, left);
    }
    const { lockTimeoutMs, statementTimeoutMs } = this.#request;
    await this.#limit(lockTimeoutMs, statementTimeoutMs);
    try {
      await this.#target.ask(sql, statementTimeoutMs);
      this.built.push(name);
    } catch (error) {
      this.#leftOvers.set(quoted, { name, wanted: false });
      throw error;
    }
  }

  async drop(name: string): Promise<void> {
    const index = await this.#find(name);
    if (index === undefined) {
      this.dropped.push(name);
      return;
    }
    if (index.needed) throw new Error("a constraint needs it, or it is the replica identity");
    if (index.beingBuilt) throw new Error("another session is building it at this moment");
    // Interrupted while it waits, DROP INDEX CONCURRENTLY leaves an invalid index: it is begun when it can end.
    await this.#quiet(index);
    const { lockTimeoutMs, statementTimeoutMs } = this.#request;
    await this.#limit(lockTimeoutMs, statementTimeoutMs);
    try {
      await this.#target.ask(`DROP INDEX CONCURRENTLY ${index.quoted}`, statementTimeoutMs);
      this.dropped.push(name);
    } catch (error) {
      const left = await this.#find(name);
      if (left !== undefined && !left.valid) {
        this.#leftOvers.set(index.quoted, { name, wanted: true });
      }
      throw error;
    }
  }

  /** Takes away what failed builds left, with no limit on the wait for a lock: it holds nobody up. */
  async tidyUp(): Promise<void> {
    for (const [quoted, { name, wanted }] of this.#leftOvers) {
      let why = "the time is over";
      for (;;) {
        const index = (await existingIndexes(this.#target)).find((one) => one.quoted === quoted);
        if (index === undefined || index.valid) break;
        if (Date.now() >= this.#tidyBy) {
          const rest = `An invalid index is left, for ${why}: DROP INDEX CONCURRENTLY ${quoted}`;
          this.failed.set(name, `${this.failed.get(name)}. ${rest}`);
          break;
        }
        const left = this.#left();
        await this.#limit(0, left);
        try {
          await this.#target.ask(`DROP INDEX CONCURRENTLY IF EXISTS ${quoted}`, left);
          if (wanted) {
            this.failed.delete(name);
            this.dropped.push(name);
          }
        } catch (error) {
          if (error instanceof AdvisorError) throw error;
          why = messageOf(error);
        }
      }
    }
  }

  /** The index once nobody builds it any more: somebody else, or a call of ours whose connection broke. */
  async #settled(quoted: string): Promise<ExistingIndex | undefined> {
    for (;;) {
      const index = (await existingIndexes(this.#target)).find((one) => one.quoted === quoted);
      if (!index?.beingBuilt) return index;
      if (Date.now() >= this.#tidyBy)
        throw new Error("another session is building it all the while");
      await pause();
    }
  }

  /** Waits for the transactions that use the table now; later ones are no matter. */
  async #quiet(index: ExistingIndex): Promise<void> {
    const until = Date.now() + this.#request.lockTimeoutMs;
    let open = await this.#users(index);
    while (open.size > 0) {
      if (Date.now() > until) {
        const pids = [...open.values()].join(", ");
        throw new Error(
          `${index.table} is in use by transactions that have been open all the while (pid ${pids}). ` +
            "Try again when they have ended.",
        );
      }
      await pause();
      const now = await this.#users(index);
      open = new Map([...open].filter(([transaction]) => now.has(transaction)));
    }
  }

  /** Transactions that hold a lock on the table, each with its process. */
  async #users(index: ExistingIndex): Promise<Map<string, number>> {
    const rows = await this.#target.ask(
      `SELECT DISTINCT l.virtualtransaction AS transaction, l.pid
         FROM pg_locks l JOIN pg_index i ON i.indrelid = l.relation
        WHERE i.indexrelid = ${index.oid} AND l.granted AND l.pid <> pg_backend_pid()
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return new Map(rows.map((row) => [String(row.transaction), Number(row.pid)]));
  }

  async #find(name: string): Promise<ExistingIndex | undefined> {
    const indexes = await existingIndexes(this.#target);
    return (
      indexes.find((index) => index.name === name) ?? indexes.find(({ quoted }) => quoted === name)
    );
  }

  #left(): number {
    return Math.max(1, this.#tidyBy - Date.now());
  }

  async #limit(lockMs: number, statementMs: number): Promise<void> {
    await this.#target.ask(
      `SELECT set_config('lock_timeout', '${Math.ceil(lockMs)}', false),
              set_config('statement_timeout', '${Math.ceil(statementMs)}', false)`,
    );
  }
}

/** Until something is looked at again. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
