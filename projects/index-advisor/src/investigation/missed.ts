/**
 * Drops that a statement would miss. The catalogue is enough for what is the same as another index, or of no use: who
 * had the one has the other, with the same entries. What another index begins with has the smaller entries: whoever
 * reads much of it reads more of the longer one, and only a run tells whether that matters.
 */
import type { Catalog, ExistingIndex } from "../catalog.ts";
import type { Deadline, Session } from "../database.ts";
import { dropIndexSql } from "../ddl.ts";
import type { Superfluous } from "../drops.ts";
import type { Timing } from "../measure/timing.ts";
import type { Bench } from "../measure.ts";
import type { Query } from "../model.ts";
import { differenceMs } from "../validate/difference.ts";
import type { Verdict } from "../validate.ts";
import type { Builds } from "../whatif/builds.ts";

/** Of the call's time, what may be gone before the catalogue's word has to do, and of the rest, what it may take. */
const LATEST_SHARE = 0.9;
const MEASURING_SHARE = 0.5;
/** So many times as many pages as before are more of them. */
const MORE = 1.1;

export interface Dropping {
  readonly drops: readonly Superfluous[];
  /** With the target's indexes. */
  readonly catalog: Catalog;
  readonly scratch: Session;
  readonly builds: Builds;
  readonly deadline: Deadline;
  readonly queries: readonly Query[];
  readonly verdict: Pick<Verdict, "set" | "after">;
  /** One that has planned nothing yet: it takes indexes that it wasn't told of for what is always there. */
  readonly bench: Bench;
  readonly onProgress: (text: string) => void;
}

/** @returns drops without those */
export async function unmissed(from: Dropping): Promise<readonly Superfluous[]> {
  const { drops, queries, verdict, builds, bench, deadline, onProgress } = from;
  const suspects = await suspectsOf(from);
  const users = queries.filter((_, q) =>
    suspects.some(({ index }) => isUsed(index, verdict.after[q])),
  );
  if (users.length === 0 || deadline.spent > LATEST_SHARE) return drops;
  onProgress(`measuring without ${suspects.length} indexes that look superfluous`);
  const hideable = suspects.map(({ drop, index }) => ({ drop, candidate: builds.adopt(index) }));
  let there = [...verdict.set, ...hideable.map(({ candidate }) => candidate)];
  const missed = new Set<Superfluous>();
  for (const { drop, candidate } of hideable) {
    const rest = there.filter((one) => one !== candidate);
    const [with_ = [], without = []] = await bench.measure(users, [there, rest], {
      share: MEASURING_SHARE,
    });
    const slower = users.find((_, q) => isSlower(without[q], with_[q]));
    if (slower === undefined) there = rest;
    else {
      missed.add(drop);
      onProgress(
        `${drop.name} begins ${drop.keep}, and is kept all the same: statement ${slower.statement + 1} is slower without it`,
      );
    }
  }
  return drops.filter((drop) => !missed.has(drop));
}

interface Suspect {
  readonly drop: Superfluous;
  readonly index: ExistingIndex;
}

/** Those that the copy has, too. */
async function suspectsOf({ drops, catalog, scratch }: Dropping): Promise<readonly Suspect[]> {
  const indexes = catalog.tables.flatMap((table) => table.indexes);
  const bySql = new Map(indexes.map((index) => [dropIndexSql(index.schema, index.name), index]));
  const suspects: Suspect[] = [];
  for (const drop of drops) {
    const index = bySql.get(drop.sql);
    if (index === undefined || drop.reason !== "redundant-prefix") continue;
    const { rowCount } = await scratch.client.query(
      "SELECT FROM pg_indexes WHERE schemaname = $1 AND indexname = $2",
      [index.schema, index.name],
    );
    if (rowCount === 1) suspects.push({ drop, index });
  }
  return suspects;
}

function isUsed({ name }: ExistingIndex, timing: Timing | undefined): boolean {
  return timing?.parts.some(({ signature }) => signature.includes(JSON.stringify(name))) ?? false;
}

/** Time alone wanders on a busy machine. */
function isSlower(without: Timing | undefined, with_: Timing | undefined): boolean {
  if (without === undefined || with_ === undefined) return false;
  return differenceMs(without, with_) > 0 && without.blocks > MORE * with_.blocks;
}
