/** How long a statement takes with a set, as its runs show it. */
import { blocksOf, type Explained, indexesOf, type Written, writesOf } from "../plan.ts";
import type { Failure, Runs } from "./runs.ts";

/** One query with one set. */
export interface Timing {
  readonly medianMs: number;
  readonly runsMs: readonly number[];
  /** Median distance of the runs from the median, in milliseconds. */
  readonly spreadMs: number;
  readonly blocks: number;
  readonly cost: number;
  /** Of an average call. */
  readonly writes: readonly Written[];
  /** EXPLAIN's JSON of the instance that takes most of the time. */
  readonly plan: Explained;
  /** Keys of the candidates that its plans have. */
  readonly uses: ReadonlySet<string>;
  /** It was stopped, and takes `medianMs` at least; or it fails. */
  readonly failure: Failure | undefined;
  /** The same for the same work. */
  readonly signature: string;
  /** By instance, in the query's order. */
  readonly parts: readonly Part[];
}

/** One instance of a query, with one set. */
export interface Part {
  /** Of the calls, 0 … 1. */
  readonly share: number;
  readonly medianMs: number;
  /** Of the quickest run, in milliseconds: what a busy machine adds to a run is never negative. */
  readonly quickestMs: number;
  readonly blocks: number;
  /** How often it ran. */
  readonly runs: number;
  /** It takes `medianMs` at least. */
  readonly isStopped: boolean;
  readonly signature: string;
}

/** One instance, planned and run. */
export interface Trial {
  readonly share: number;
  readonly planned: Explained;
  readonly runs: Runs;
  readonly signature: string;
}

/** @param names keys of candidates, by the names that they have in plans */
export function timingOf(trials: readonly Trial[], names: ReadonlyMap<string, string>): Timing {
  const parts = trials.map(partOf);
  const sum = (of: (trial: Trial) => number) =>
    trials.reduce((total, trial) => total + trial.share * of(trial), 0);
  const fewest = Math.min(...trials.map(({ runs }) => runs.ms.length));
  const [heaviest] = trials.toSorted(
    (a, b) => b.share * median(b.runs.ms) - a.share * median(a.runs.ms),
  );
  const used = trials.flatMap(({ planned }) => [...indexesOf(planned)]);
  const runsMs = Array.from({ length: fewest }, (_, r) => sum(({ runs }) => runs.ms[r] ?? 0));
  const shown = heaviest?.runs.plan ?? heaviest?.planned;
  if (shown === undefined) throw new RangeError("A query without an instance can't be measured.");
  return {
    medianMs: sum(({ runs }) => median(runs.ms)),
    runsMs,
    spreadMs: sum(({ runs: { ms } }) => median(ms.map((one) => Math.abs(one - median(ms))))),
    blocks: sum(({ runs }) => (runs.plan ? blocksOf(runs.plan) : 0)),
    cost: sum(({ planned }) => planned.Plan["Total Cost"]),
    writes: trials.flatMap(({ share, runs, planned }) =>
      writesOf(runs.plan ?? planned).map((each) => ({ ...each, rows: share * each.rows })),
    ),
    plan: shown,
    uses: new Set(used.map((name) => names.get(name)).filter((key) => key !== undefined)),
    failure: trials.map(({ runs }) => runs.failure).find((failure) => failure !== undefined),
    signature: trials.map(({ signature }) => signature).join("\n"),
    parts,
  };
}

function partOf({ share, runs, signature }: Trial): Part {
  return {
    share,
    medianMs: median(runs.ms),
    quickestMs: Math.min(...runs.ms),
    blocks: runs.plan ? blocksOf(runs.plan) : 0,
    runs: runs.ms.length,
    isStopped: runs.failure?.stopped ?? false,
    signature,
  };
}

/** @param way 0 is `from`, 1 is `to` @param signatures of its parts */
export function between(
  from: Timing,
  to: Timing,
  way: number,
  signatures: readonly string[],
): Timing {
  const mix = (a: number, b: number) => a + way * (b - a);
  return {
    ...from,
    medianMs: mix(from.medianMs, to.medianMs),
    signature: signatures.join("\n"),
    parts: from.parts.map((part, i) => {
      const other = to.parts[i] ?? part;
      return {
        ...part,
        medianMs: mix(part.medianMs, other.medianMs),
        quickestMs: mix(part.quickestMs, other.quickestMs),
        blocks: mix(part.blocks, other.blocks),
        signature: signatures[i] ?? part.signature,
      };
    }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
