/**
 * The last word: what was chosen is really there, and each index has to show that the workload is slower
 * without it. What can't be told from noise doesn't count as a gain.
 */
import type { Deadline } from "./database.ts";
import type { Timing } from "./measure/timing.ts";
import type { Bench } from "./measure.ts";
import type { Candidate, Query } from "./model.ts";
import type { Upkeep } from "./upkeep.ts";
import { totalMs } from "./validate/difference.ts";
import { type Gain, gainOf, isIdle, type Lack } from "./validate/gain.ts";
import { apart, type Refusal, removalsOf } from "./validate/removals.ts";
import type { Builds } from "./whatif/builds.ts";

/** Of the call's time, what may be gone before measurements are saved. */
const MEASURING_SHARE = 0.75;
/** A statement that takes so many times as long with the set as before is stopped: it has lost. */
const WORSE = 10;
/** One that takes so many times as long without one index is stopped: that one is needed. */
const NEEDED = 4;
/** When several go at once, the workload may take longer by this share: it is noise. */
const NOISE = 0.02;

export interface Verdict {
  readonly set: readonly Candidate[];
  readonly gains: ReadonlyMap<Candidate, Gain>;
  readonly before: readonly Timing[];
  readonly after: readonly Timing[];
  readonly refused: readonly Refusal[];
  /** There was no time to measure everything: of some indexes it is the planner who says that they are needed. */
  readonly ranOut: boolean;
}

export interface Evidence {
  readonly deadline: Deadline;
  readonly queries: readonly Query[];
  readonly bench: Bench;
  readonly builds: Builds;
  readonly upkeep: Upkeep;
  readonly budgetBytes: number;
  /** In the order of `queries`, without any new index. */
  readonly before: readonly Timing[];
}

/** Of several that went at once, what is undone when the workload takes longer without all of them. */
interface Step {
  readonly set: readonly Candidate[];
  readonly totalMs: number;
  readonly removed: readonly Refusal[];
}

/** @param chosen all of them built; it may be over the budget, and what is kept of it isn't */
export async function validate(from: Evidence, chosen: readonly Candidate[]): Promise<Verdict> {
  const { queries, bench } = from;
  let refused: readonly Refusal[] = [];
  let set = chosen;
  let last: Step | undefined;
  for (;;) {
    const [before = [], after = []] = await bench.measure(queries, [[], set], {
      within: { timings: from.before, times: WORSE },
    });
    const total = totalMs(from, before, after, set);
    if (last && total > last.totalMs * (1 + NOISE)) {
      const { removed, set: larger } = last;
      refused = refused.filter((refusal) => !removed.slice(1).includes(refusal));
      set = larger.filter((candidate) => candidate !== removed[0]?.candidate);
      last = undefined;
      continue;
    }
    const idle = set.filter((candidate) => isIdle(candidate, before, after));
    if (idle.length > 0) {
      const why = "No plan of the workload uses it.";
      refused = [...refused, ...idle.map((candidate) => ({ candidate, why }))];
      set = set.filter((candidate) => !idle.includes(candidate));
      last = undefined;
      continue;
    }
    const { lacks, ranOut } = await withoutEach(from, set, before, after);
    const gains = new Map(lacks.map((lack) => [lack.candidate, gainOf(from, lack)]));
    const removed = apart(from, removalsOf(from, { set, gains, before, after }), lacks);
    if (removed.length === 0) return { set, gains, before, after, refused, ranOut };
    last = removed.length > 1 ? { set, totalMs: total, removed } : undefined;
    refused = [...refused, ...removed];
    set = set.filter((one) => !removed.some(({ candidate }) => candidate === one));
  }
}

/**
 * Where there is no time to see what lacks without each of them, the planner says it. So it is asked first which of
 * them gain least: those are seen while there is time.
 */
async function withoutEach(
  from: Evidence,
  set: readonly Candidate[],
  before: readonly Timing[],
  after: readonly Timing[],
): Promise<{ lacks: readonly Lack[]; ranOut: boolean }> {
  const { queries, bench, deadline } = from;
  const reckoned: { lack: Lack; gainMs: number }[] = [];
  for (const candidate of set) {
    const rest = set.filter((other) => other !== candidate);
    const without = await bench.reckon(queries, rest, before, after);
    const lack = { candidate, set, before, after, rest, without };
    reckoned.push({ lack, gainMs: gainOf(from, lack).ms });
  }
  const lacks: Lack[] = [];
  let ranOut = false;
  for (const { lack } of reckoned.toSorted((a, b) => a.gainMs - b.gainMs)) {
    const isLate = deadline.spent > MEASURING_SHARE;
    ranOut ||= isLate;
    lacks.push(isLate ? lack : { ...lack, ...(await seen(from, lack)) });
  }
  return { lacks, ranOut };
}

/** What was unclear has made the set run again, too: its timings are better than those of before. */
async function seen({ queries, bench }: Evidence, { set, rest, after: before }: Lack) {
  const [after = [], without = []] = await bench.measure(queries, [set, rest], {
    within: { timings: before, times: NEEDED },
  });
  return { after, without };
}
