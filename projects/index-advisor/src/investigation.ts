/** One call of `advise`, from the first look at the target to the verdict. */
import type { AdviseRequest, Skipped } from "../contract.ts";
import { candidatesFor } from "./candidates/index.ts";
import { type Catalog, readCatalog } from "./catalog.ts";
import { asked, type Deadline, type Session } from "./database.ts";
import { type Superfluous, superfluous } from "./drops.ts";
import { concerned } from "./investigation/concerned.ts";
import { prepare, runnable, tablesWithTriggers, vacuum } from "./investigation/copy.ts";
import { unmissed } from "./investigation/missed.ts";
import { type Search, search } from "./investigation/rounds.ts";
import { adopt, settingsOf } from "./investigation/settings.ts";
import type { Timing } from "./measure/timing.ts";
import { Bench } from "./measure.ts";
import type { Candidate, Query, Select, WhatIf } from "./model.ts";
import { parametersOf } from "./parameters.ts";
import { understand } from "./sql/index.ts";
import { tablesBehind } from "./unseen.ts";
import { hotShares, Upkeep } from "./upkeep.ts";
import type { Refusal } from "./validate/removals.ts";
import type { Verdict } from "./validate.ts";
import { Builds } from "./whatif/builds.ts";
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
  /** There was no time to look at everything, or to measure it. */
  readonly ranOut: boolean;
  readonly whatIf: { readonly kind: WhatIf["kind"]; readonly calls: number };
  /** Of the target: names in its schemas that are taken. */
  readonly taken: ReadonlySet<string>;
}

/** What is understood, before anything was measured. */
interface Ready extends Pick<Search, "catalog" | "behind"> {
  readonly all: readonly Query[];
  readonly upkeep: Upkeep;
}

/** Of the time, what it may take to see how long statements take as they are. */
const BASELINE_SHARE = 0.25;
/** Of the time that is left, what one build may take, and what it may take in any case, in milliseconds. */
const BUILD_SHARE = 0.3;
const LEAST_BUILD_MS = 1_000;

/** Live: what it has built is on the copy until it is disposed of. */
export class Investigation implements AsyncDisposable {
  readonly #target: Session;
  readonly #scratch: Session;
  readonly #options: InvestigationOptions;
  readonly #builds: Builds;
  #hasWritten = false;
  /** `schema.table` of those that the workload is about. */
  #tables: ReadonlySet<string> = new Set();

  constructor(target: Session, scratch: Session, options: InvestigationOptions) {
    this.#target = target;
    this.#scratch = scratch;
    this.#options = options;
    const { deadline } = options;
    this.#builds = new Builds(scratch, () => deadline.share(BUILD_SHARE, LEAST_BUILD_MS));
  }

  /** @throws AdvisorError */
  async run(): Promise<Findings> {
    const { onProgress, request } = this.#options;
    onProgress("reading the target's catalogue");
    const { client } = this.#target;
    const { there, drop, hot, taken, settings } = await asked(
      "target",
      "read its catalogue",
      async () => {
        const there = await readCatalog(client);
        const drop = await superfluous(client, there);
        const names = await client.query<{ name: string }>(
          "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
        );
        const taken = new Set(names.rows.map(({ name }) => name));
        const settings = await settingsOf(this.#target);
        return { there, drop, hot: await hotShares(client), taken, settings };
      },
    );
    return asked("scratch", "be worked in", async () => {
      onProgress("looking at the copy");
      for (const { name, value, wanted, refused } of await adopt(this.#scratch, settings)) {
        onProgress(
          refused
            ? `${name} is ${wanted} in the database and ${value} in the copy, which can't be changed: plans may differ`
            : `${name} is ${wanted} in the database and was ${value} in the copy: it is now the same`,
        );
      }
      const withTriggers = await tablesWithTriggers(this.#scratch);
      this.#tables = await concerned(request.statements, there, withTriggers);
      const catalog = await prepare(this.#scratch, this.#builds, there, this.#tables, onProgress);
      const parameters = parametersOf(this.#scratch.client, catalog);
      const understood = await understand(request.statements, catalog, parameters);
      const { queries, skipped } = await runnable(this.#scratch, understood.queries, catalog);
      const upkeep = new Upkeep(catalog, hot);
      const behind = tablesBehind(catalog, withTriggers);
      const found = await this.#find({ all: queries, catalog, upkeep, behind });
      const unneeded = await unmissed({
        ...this.#options,
        ...found,
        drops: drop,
        catalog,
        scratch: this.#scratch,
        builds: this.#builds,
        bench: new Bench(this.#scratch, this.#builds, { ...this.#options, behind }),
      });
      return {
        ...found,
        catalog,
        drop: unneeded,
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
      if (this.#hasWritten) await vacuum(this.#scratch, this.#tables);
    } catch {
      // Whoever waits for the result is told by the call itself.
    }
  }

  async #find({ all, catalog, upkeep, behind }: Ready) {
    const { onProgress, deadline, signal, repetitions, select, request, kind } = this.#options;
    const builds = this.#builds;
    const scratch = this.#scratch;
    const bench = new Bench(scratch, builds, { repetitions, deadline, signal, behind });
    onProgress(`measuring ${all.length} statements`);
    this.#hasWritten = all.some((query) => query.kind !== "select");
    const [first = []] = await bench.measure(all, [[]], { share: BASELINE_SHARE });
    const { queries, before, skipped, ranOut } = measurable(all, first);
    const candidates = candidatesFor(queries, catalog);
    const budgetBytes = request.budgetBytes ?? Number.POSITIVE_INFINITY;
    await using whatIf = await openWhatIf(scratch, builds, kind);
    const evidence = { deadline, queries, before, bench, builds, upkeep, budgetBytes };
    const outcome = await search({
      scratch,
      evidence,
      catalog,
      candidates,
      whatIf,
      select,
      behind,
      signal,
      onProgress,
    });
    return {
      ...outcome,
      ranOut: outcome.ranOut || ranOut,
      queries,
      candidates,
      skipped,
      whatIf: { kind: whatIf.kind, calls: whatIf.calls },
    };
  }
}

/** What fails takes no time. A write that does has its upkeep counted all the same: others like it may not fail. */
function measurable(all: readonly Query[], first: readonly Timing[]) {
  const skipped: Skipped[] = [];
  const queries: Query[] = [];
  const before: Timing[] = [];
  let ranOut = false;
  all.forEach((query, q) => {
    const timing = first[q];
    const failure = timing?.failure;
    if (failure?.stopped) ranOut = true;
    else if (failure !== undefined) skipped.push({ statement: query.statement, why: failure.why });
    const isLost = failure?.stopped === false && query.kind === "select";
    if (timing === undefined || isLost) return;
    queries.push(query);
    before.push(timing);
  });
  return { queries, before, skipped, ranOut };
}
