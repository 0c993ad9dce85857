/** One call of `advise`, from the first look at the target to the verdict. */
import type { AdviseRequest, Skipped } from "../contract.ts";
import { assertAtHome, tablesAbroad } from "./abroad.ts";
import { candidatesFor } from "./candidates/index.ts";
import { type Catalog, findTable, readCatalog } from "./catalog.ts";
import { asked, type Deadline, type Session } from "./database.ts";
import { sameIndex } from "./ddl.ts";
import { type Superfluous, superfluous } from "./drops.ts";
import { isConnectionLoss, messageOf, noPermission, sqlState } from "./errors.ts";
import { Bench } from "./measure.ts";
import type { Candidate, Query, Select, WhatIf } from "./model.ts";
import { parametersOf } from "./parameters.ts";
import { propose, tablesBehind, unseenBy } from "./propose.ts";
import { isPrefix } from "./select/redundancy.ts";
import { understand } from "./sql/index.ts";
import { hotShares, Upkeep } from "./upkeep.ts";
import { type Refusal, type Verdict, validate } from "./validate.ts";
import { BuildFailed, Builds } from "./whatif/builds.ts";
import { openWhatIf } from "./whatif/index.ts";

export interface InvestigationOptions {
  readonly request: AdviseRequest;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
  readonly select: Select;
  readonly kind: WhatIf["kind"] | undefined;
  readonly repetitions: number;
}

export interface Findings {
  readonly queries: readonly Query[];
  readonly candidates: readonly Candidate[];
  /** The target's indexes, the copy's statistics. */
  readonly catalog: Catalog;
  readonly skipped: readonly Skipped[];
  readonly drop: readonly Superfluous[];
  readonly verdict: Verdict;
  readonly refused: readonly Refusal[];
  readonly builds: Builds;
  readonly upkeep: Upkeep;
  readonly estimates: ReadonlyMap<Candidate, number>;
  readonly whatIf: { readonly kind: WhatIf["kind"]; readonly calls: number };
  /** Of the target: names in its schemas that are taken. */
  readonly taken: ReadonlySet<string>;
}

/** What was refused makes room for something else; as often as this there is another try. */
const ROUNDS = 3;
/** Nobody else may be in the copy: advisors that are there at the same moment wait for each other. */
export const LOCK = "SELECT pg_advisory_lock(hashtext('index-advisor'))";

/** Live: what it has built is on the copy until it is disposed of. */
export class Investigation implements AsyncDisposable {
  readonly #target: Session;
  readonly #scratch: Session;
  readonly #options: InvestigationOptions;
  readonly #builds: Builds;
  #hasWritten = false;

  constructor(target: Session, scratch: Session, options: InvestigationOptions) {
    this.#target = target;
    this.#scratch = scratch;
    this.#options = options;
    this.#builds = new Builds(scratch);
  }

  /** @throws AdvisorError */
  async run(): Promise<Findings> {
    const { onProgress, request } = this.#options;
    onProgress("reading the target's catalogue");
    const { client } = this.#target;
    const { there, drop, hot, taken } = await asked("target", "read its catalogue", async () => {
      const there = await readCatalog(client);
      const drop = await superfluous(client, there);
      const names = await client.query<{ name: string }>(
        "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
      );
      const taken = new Set(names.rows.map(({ name }) => name));
      return { there, drop, hot: await hotShares(client), taken };
    });
    return asked("scratch", "be worked in", async () => {
      onProgress("looking at the copy");
      const catalog = await this.#prepare(there);
      const parameters = parametersOf(this.#scratch.client, catalog);
      const understood = await understand(request.statements, catalog, parameters);
      const { queries, skipped } = await this.#runnable(understood.queries);
      const upkeep = new Upkeep(catalog, hot);
      const found = await this.#find(queries, catalog, upkeep);
      return {
        ...found,
        catalog,
        drop,
        upkeep,
        taken,
        builds: this.#builds,
        skipped: [...understood.skipped, ...skipped, ...found.skipped].toSorted(
          (a, b) => a.statement - b.statement,
        ),
      };
    });
  }

  /** Leaves the copy as it was found. A connection that is gone has left it to the next one. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#builds.drop();
      // What was written and rolled back takes up room.
      if (this.#hasWritten) await this.#vacuum();
    } catch {
      // Whoever waits for the result is told by the call itself.
    }
  }

  async #prepare(there: Catalog): Promise<Catalog> {
    const { client } = this.#scratch;
    await client.query(LOCK);
    await this.#builds.clear();
    // Rows that were updated or deleted while it was loaded are out of the way, and statistics are new.
    await this.#vacuum("(ANALYZE)");
    const copy = await readCatalog(client);
    const tables = copy.tables.map((table) => {
      const original = findTable(there, table.name, table.schema);
      return original ? { ...table, indexes: original.indexes } : table;
    });
    return { ...copy, tables, extensions: there.extensions, installable: there.installable };
  }

  async #vacuum(how = ""): Promise<void> {
    const { client } = this.#scratch;
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
         AND c.relpersistence <> 't' AND pg_has_role(c.relowner, 'USAGE')`,
    );
    if (rows.length === 0) return;
    await client.query(`VACUUM ${how} ${rows.map(({ name }) => name).join(", ")}`);
  }

  /** Without those that the copy's planner refuses, by themselves, and those that must not be run. */
  async #runnable(all: readonly Query[]): Promise<{ queries: Query[]; skipped: Skipped[] }> {
    const queries: Query[] = [];
    const skipped: Skipped[] = [];
    let refusal: unknown;
    const { client } = this.#scratch;
    const abroad = await tablesAbroad(client);
    for (const query of all) {
      try {
        for (const { sql } of query.instances) {
          const { rows } = await client.query(`EXPLAIN (VERBOSE, FORMAT JSON) ${sql}`);
          await assertAtHome({ sql, rows }, abroad);
        }
        queries.push(query);
      } catch (error) {
        if (isConnectionLoss(error)) throw error;
        if (sqlState(error) === "42501") refusal = error;
        skipped.push({ statement: query.statement, why: messageOf(error) });
      }
    }
    if (refusal !== undefined && queries.length === 0) {
      throw noPermission("scratch", "plan any of the statements", refusal);
    }
    return { queries, skipped };
  }

  async #find(all: readonly Query[], catalog: Catalog, upkeep: Upkeep) {
    const { onProgress, deadline, signal, repetitions, select, request, kind } = this.#options;
    const builds = this.#builds;
    const behind = tablesBehind(catalog, await this.#tablesWithTriggers());
    const bench = new Bench(this.#scratch, builds, { repetitions, deadline, signal, behind });
    onProgress(`measuring ${all.length} statements`);
    this.#hasWritten = all.some((query) => query.kind !== "select");
    const [first = []] = await bench.measure(all, [[]]);
    const fails = (q: number) => all[q]?.kind === "select" && first[q]?.failure?.stopped === false;
    const queries = all.filter((_, q) => !fails(q));
    const skipped = all.flatMap((query, q) =>
      fails(q) ? [{ statement: query.statement, why: first[q]?.failure?.why ?? "" }] : [],
    );
    const before = first.filter((_, q) => !fails(q));
    const refused: Refusal[] = [];
    const candidates = candidatesFor(queries, catalog).filter((c) => isPossible(c, catalog));
    const budgetBytes = request.budgetBytes ?? Number.POSITIVE_INFINITY;
    await using whatIf = await openWhatIf(this.#scratch, builds, kind);
    const unseen = await this.#built(unseenBy(candidates, queries, behind), refused);
    const evidence = { deadline, queries, bench, builds, upkeep, budgetBytes };
    let set: readonly Candidate[] = [];
    let verdict: Verdict | undefined;
    const estimates = await estimatesOf(candidates, whatIf, builds);
    for (let round = 0; round < ROUNDS; round++) {
      onProgress(`choosing among ${candidates.length} indexes`);
      const tried = new Set(refused.map(({ candidate }) => candidate));
      const left = candidates.filter((candidate) => !tried.has(candidate));
      const proposal = await propose({
        deadline,
        select,
        queries,
        before,
        candidates: left,
        whatIf,
        builds,
        upkeep,
        budgetBytes,
        signal,
      });
      refused.push(...proposal.refused);
      const wanted = [...proposal.set, ...unseen.filter((c) => !tried.has(c))];
      const next = together(verdict?.set ?? [], wanted);
      if (verdict && next.every((candidate) => set.includes(candidate))) break;
      set = next;
      onProgress(`building and measuring ${set.length} indexes`);
      await upkeep.calibrate(
        this.#scratch,
        set.filter(({ index }) => isWritten(index, queries)),
      );
      verdict = await validate(evidence, set);
      refused.push(...verdict.refused);
      if (verdict.refused.length === 0 || deadline.share(1) < 1_000) break;
    }
    verdict ??= await validate(evidence, []);
    const { calls } = whatIf;
    return {
      queries,
      candidates,
      skipped,
      verdict,
      refused,
      estimates,
      whatIf: { kind: whatIf.kind, calls },
    };
  }

  async #built(wanted: readonly Candidate[], refused: Refusal[]): Promise<readonly Candidate[]> {
    const built: Candidate[] = [];
    for (const candidate of wanted) {
      try {
        await this.#builds.build(candidate);
        built.push(candidate);
      } catch (error) {
        if (!(error instanceof BuildFailed)) throw error;
        refused.push({ candidate, why: `It can't be built: ${error.message}` });
      }
    }
    return built;
  }

  /** Other than those of foreign keys: what such triggers ask, nobody knows. */
  async #tablesWithTriggers(): Promise<ReadonlySet<string>> {
    const { rows } = await this.#scratch.client.query<{ name: string }>(
      `SELECT DISTINCT n.nspname || '.' || c.relname AS name
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'`,
    );
    return new Set(rows.map(({ name }) => name));
  }
}

/** In bytes, of those that need not be built for that. */
async function estimatesOf(
  candidates: readonly Candidate[],
  whatIf: WhatIf,
  builds: Builds,
): Promise<ReadonlyMap<Candidate, number>> {
  const estimates = new Map<Candidate, number>();
  if (whatIf.kind !== "hypopg") return estimates;
  for (const candidate of candidates) {
    if (!candidate.hypothetical || builds.find(candidate)) continue;
    try {
      estimates.set(candidate, await whatIf.size(candidate));
    } catch (error) {
      // Whoever builds it is told why it can't be.
      if (!(error instanceof BuildFailed)) throw error;
    }
  }
  return estimates;
}

/** What was kept, and what is new; of two of which one is the other's beginning, the longer. */
function together(kept: readonly Candidate[], wanted: readonly Candidate[]): readonly Candidate[] {
  const all = [...new Set([...kept, ...wanted])];
  return all.filter(
    ({ index }) => !all.some((other) => other.index !== index && isPrefix(index, other.index)),
  );
}

/** `CREATE INDEX CONCURRENTLY` is for tables with rows of their own (PostgreSQL's manual, CREATE INDEX). */
function isPossible({ index }: Candidate, catalog: Catalog): boolean {
  const table = findTable(catalog, index.table, index.schema);
  if (table?.kind !== "table" && table?.kind !== "materialized view") return false;
  return !table.indexes.some(({ valid, spec }) => valid && sameIndex(spec, index));
}

function isWritten({ schema, table }: Candidate["index"], queries: readonly Query[]): boolean {
  return queries.some(({ accesses }) =>
    accesses.some((a) => a.writes !== undefined && a.schema === schema && a.table === table),
  );
}
