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

type Failure = ApplyResult["failed"][number];

export async function apply(
  target: Connection,
  request: ApplyRequest,
  deadline: number,
): Promise<ApplyResult> {
  const work = new Work(
    target,
    request,
    Math.min(deadline, Date.now() + 2 * request.lockTimeoutMs + TIDY_MS),
  );
  for (const { name, sql } of request.create) await work.attempt(name, () => work.build(name, sql));
  for (const { name } of request.drop) await work.attempt(name, () => work.drop(name));
  await work.tidyUp();
  if (work.refusals > 0 && work.refusals === request.create.length + request.drop.length) {
    const reasons = work.failed.map(({ name, why }) => `${name}: ${why}`).join("; ");
    throw new AdvisorError("NO_PERMISSION", `The target refused all of it. ${reasons}`);
  }
  return { built: work.built, dropped: work.dropped, failed: work.failed };
}

class Work {
  readonly built: string[] = [];
  readonly dropped: string[] = [];
  readonly failed: Failure[] = [];
  refusals = 0;
  readonly #target: Connection;
  readonly #request: ApplyRequest;
  readonly #tidyBy: number;
  /** Names, with their schema, of what failed builds left. */
  readonly #leftOvers = new Set<string>();

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
      this.failed.push({ name, why: messageOf(error) });
    }
  }

  async build(name: string, sql: string): Promise<void> {
    const build = await buildOf(sql);
    if (build.name !== name) {
      throw new Error(
        `its statement makes an index called ${build.name}. Give both the same name.`,
      );
    }
    const [place] = await this.#target.ask(
      `SELECT format('%I.%I', n.nspname, ${literal(name)}::text) AS index, c.relkind AS kind
         FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
         LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ${literal(name)}
        WHERE t.oid = to_regclass(${literal(build.table)})`,
    );
    if (place === undefined) throw new Error(`there is no table ${build.table}`);
    const qualified = String(place.index);
    if (place.kind !== null && place.kind !== "i") {
      throw new Error(`${qualified} exists, and is no index. Choose another name.`);
    }
    const existing = await this.#find(qualified);
    if (existing?.valid) {
      this.built.push(name);
      return;
    }
    if (existing?.beingBuilt)
      throw new Error(`another session is building ${qualified} at this moment`);
    if (existing) {
      await this.#limit(this.#request.lockTimeoutMs, Math.max(1, this.#tidyBy - Date.now()));
      await this.#target.ask(
        `DROP INDEX CONCURRENTLY IF EXISTS ${qualified}`,
        this.#tidyBy - Date.now(),
      );
    }
    const { lockTimeoutMs, statementTimeoutMs } = this.#request;
    await this.#limit(lockTimeoutMs, statementTimeoutMs);
    try {
      await this.#target.ask(sql, statementTimeoutMs);
      this.built.push(name);
    } catch (error) {
      this.#leftOvers.add(qualified);
      throw error;
    }
  }

  async drop(name: string): Promise<void> {
    const index = await this.#find(name);
    if (index === undefined) {
      this.dropped.push(name);
      return;
    }
    if (index.needed)
      throw new Error(`${index.name} is needed: by a constraint, or as replica identity`);
    if (index.beingBuilt)
      throw new Error(`another session is building ${index.name} at this moment`);
    // Interrupted while it waits, DROP INDEX CONCURRENTLY leaves an invalid index: it is begun when it can end.
    await this.#quiet(index);
    await this.#limit(this.#request.lockTimeoutMs, this.#request.statementTimeoutMs);
    try {
      await this.#target.ask(
        `DROP INDEX CONCURRENTLY ${index.name}`,
        this.#request.lockTimeoutMs + this.#request.statementTimeoutMs,
      );
      this.dropped.push(name);
    } catch (error) {
      const left = await this.#find(index.name);
      if (left !== undefined && !left.valid) this.#leftOvers.add(index.name);
      throw error;
    }
  }

  /** Takes away what failed builds left, with no limit on the wait for a lock: it holds nobody up. */
  async tidyUp(): Promise<void> {
    for (const name of this.#leftOvers) {
      let why = "";
      for (;;) {
        const index = await this.#find(name);
        if (index === undefined || index.valid) break;
        const left = this.#tidyBy - Date.now();
        if (left <= 0) {
          this.failed.push({
            name,
            why: `an invalid index is left, and could not be removed yet: ${why}. DROP INDEX CONCURRENTLY ${name}`,
          });
          break;
        }
        await this.#limit(0, left);
        try {
          await this.#target.ask(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`, left);
        } catch (error) {
          if (error instanceof AdvisorError) throw error;
          why = messageOf(error);
        }
      }
    }
  }

  async #quiet(index: ExistingIndex): Promise<void> {
    const until = Date.now() + this.#request.lockTimeoutMs;
    const holders = async () =>
      (
        await this.#target.ask(
          `SELECT DISTINCT l.virtualtransaction AS holder FROM pg_locks l JOIN pg_index i ON i.indrelid = l.relation
            WHERE i.indexrelid = ${index.oid} AND l.granted AND l.pid <> pg_backend_pid()
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        )
      ).map((row) => String(row.holder));
    const before = new Set(await holders());
    while (before.size > 0) {
      const now = new Set(await holders());
      for (const holder of before) if (!now.has(holder)) before.delete(holder);
      if (before.size === 0) return;
      if (Date.now() > until) {
        throw new Error(
          `${before.size} open transactions use ${index.table}; try again when they have ended`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #find(name: string): Promise<ExistingIndex | undefined> {
    const unquoted = (text: string) => text.replaceAll('"', "");
    const indexes = await existingIndexes(this.#target);
    return (
      indexes.find((index) => index.name === name) ??
      indexes.find((index) => unquoted(index.name) === unquoted(name))
    );
  }

  async #limit(lockMs: number, statementMs: number): Promise<void> {
    await this.#target.ask(
      `SELECT set_config('lock_timeout', '${Math.ceil(lockMs)}', false),
              set_config('statement_timeout', '${Math.ceil(statementMs)}', false)`,
    );
  }
}
