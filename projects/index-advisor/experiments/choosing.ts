/** Ways to choose a set, on a database that is filled, told apart by what they ask and by what they get. */
import type { Statement } from "../contract.ts";
import { candidatesFor } from "../src/candidates/index.ts";
import { type Catalog, readCatalog } from "../src/catalog.ts";
import { connect, Deadline, type Session } from "../src/database.ts";
import type { Candidate, Query, Select, WhatIf } from "../src/model.ts";
import { parametersOf } from "../src/parameters.ts";
import { understand } from "../src/sql/index.ts";
import { Builds } from "../src/whatif/builds.ts";
import { openWhatIf } from "../src/whatif/index.ts";

/** In milliseconds; experiments have limits of their own. */
const LONGEST = 3_600_000;

/** Live: one connection. */
export interface Choice extends Session {
  readonly catalog: Catalog;
  readonly queries: readonly Query[];
  readonly candidates: readonly Candidate[];
}

/** @param url of a database that has rows and statistics */
export async function openChoice(url: string, statements: readonly Statement[]): Promise<Choice> {
  const session = await connect("scratch", url, { deadline: new Deadline(LONGEST) });
  const { client } = session;
  const catalog = await readCatalog(client);
  const { queries } = await understand(statements, catalog, parametersOf(client, catalog));
  const reading = queries.filter(({ kind }) => kind === "select");
  const candidates = candidatesFor(reading, catalog);
  return Object.assign(session, { catalog, queries: reading, candidates });
}

export interface Chosen {
  readonly set: readonly Candidate[];
  /** How often the planner was asked. */
  readonly calls: number;
  /** Indexes that were really built, to ask about them. */
  readonly builds: number;
  /** Σ calls × cost with the set, in proportion to that without any. */
  readonly cost: number;
  readonly tookMs: number;
}

export interface ChoiceOptions {
  readonly select: Select;
  readonly candidates?: readonly Candidate[];
  /** Default: no limit. */
  readonly budgetBytes?: number;
  readonly kind?: WhatIf["kind"];
  readonly signal: AbortSignal;
}

/** Chooses with a planner that was asked nothing before. What is built for it is gone again afterwards. */
export async function choose(choice: Choice, options: ChoiceOptions): Promise<Chosen> {
  const { candidates = choice.candidates, budgetBytes = Number.POSITIVE_INFINITY } = options;
  const builds = new Builds(choice);
  const started = performance.now();
  try {
    await using whatIf = await openWhatIf(choice, builds, options.kind);
    const set = await options.select({
      queries: choice.queries,
      candidates,
      whatIf,
      budgetBytes,
      writeCost: () => 0,
      signal: options.signal,
    });
    const [calls, built] = [whatIf.calls, builds.all.length];
    const tookMs = performance.now() - started;
    const total = async (of: readonly Candidate[]) =>
      (await whatIf.costs(choice.queries, of)).reduce(
        (sum, cost, at) => sum + cost * (choice.queries[at]?.calls ?? 0),
        0,
      );
    return { set, calls, builds: built, cost: (await total(set)) / (await total([])), tookMs };
  } finally {
    await builds.drop();
  }
}
