/** From statements to a set of indexes that was seen to help. */
import type { Advice, AdviseRequest } from "../contract.ts";
import type { Catalog } from "./catalog.ts";
import { areSame, connect, Deadline, type Session, terminate } from "./database.ts";
import { detailOf } from "./detail.ts";
import type { Superfluous } from "./drops.ts";
import { sameDatabase, unavailable } from "./errors.ts";
import { LOCK } from "./investigation/copy.ts";
import { Investigation } from "./investigation.ts";
import type { Candidate, Query, Select } from "./model.ts";
import { extend } from "./select/extend.ts";
import { Builds } from "./whatif/builds.ts";

export interface AdviseOptions {
  /** `postgres://…`; it is only read. */
  readonly target: string;
  /** `postgres://…`; indexes are built and dropped, and it is analysed. */
  readonly scratch: string;
  /** Default: Extend. */
  readonly select?: Select;
  readonly signal?: AbortSignal;
  /** The longest that it may take, in milliseconds. Default: 10 minutes. */
  readonly budgetMs?: number;
  /**
   * Once it was aborted or its time is over: how long it may take then, in milliseconds, to remove what it has
   * built on the copy. Default: 0, which leaves that to the next call.
   */
  readonly cleanUpMs?: number;
  /** Told what it is about, for people. */
  readonly onProgress?: (text: string) => void;
  /** Default: HypoPG where the copy has it. */
  readonly whatIf?: "hypopg" | "real builds";
  /** How often each statement is measured with each set; medians count. Default: 5. */
  readonly repetitions?: number;
}

/** One statement, with and without `create`; calls are not counted in. */
export interface StatementDetail {
  /** Position in the request. */
  readonly statement: number;
  readonly sql: string;
  readonly calls: number;
  /** Median of the runs, in milliseconds per call. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** It was stopped, and takes that long at least. */
  readonly isStoppedBefore: boolean;
  readonly isStoppedAfter: boolean;
  /** All runs, in milliseconds. The same array twice where the plan is the same: it was run once. */
  readonly runsBeforeMs: readonly number[];
  readonly runsAfterMs: readonly number[];
  /** EXPLAIN's JSON, the element of its array that has `Plan`. */
  readonly planBefore: unknown;
  readonly planAfter: unknown;
  /** The planner's, in its units. */
  readonly costBefore: number;
  readonly costAfter: number;
  /** Pages touched, in shared buffers or from disk. */
  readonly blocksBefore: number;
  readonly blocksAfter: number;
  /** Milliseconds of `afterMs` that keeping the new indexes up to date is reckoned to cost each call. */
  readonly upkeepMs: number;
}

export interface IndexDetail {
  readonly name: string;
  readonly candidate: Candidate;
  readonly estimatedBytes: number;
  readonly sizeBytes: number;
  /** Σ calls × ms that the workload takes longer when this index alone is taken away. */
  readonly gainMs: number;
  /** 0 … 1: how far what it gains is above the noise of what was measured. */
  readonly confidence: number;
}

/** What a report is made of. */
export interface AdviceInDetail extends Advice {
  readonly drop: readonly Superfluous[];
  /** Without those that fail, which are in `skipped`. */
  readonly statements: readonly StatementDetail[];
  /** In the order of `create`. */
  readonly indexes: readonly IndexDetail[];
  readonly queries: readonly Query[];
  readonly candidates: readonly Candidate[];
  readonly catalog: Catalog;
  readonly whatIf: { readonly kind: "hypopg" | "real builds"; readonly calls: number };
  /**
   * There was no time to look at everything, or to measure it: another call with more of it may find more. That
   * there is no advice doesn't say then that none would help.
   */
  readonly ranOut: boolean;
  /** How long all of it took, in milliseconds. */
  readonly tookMs: number;
}

/** In milliseconds. */
const BUDGET_MS = 600_000;
/** Of the budget, what is left for cleaning up and for the way back. */
const REST = 0.1;
const REPETITIONS = 5;

/** @throws AdvisorError `TARGET_UNAVAILABLE`, `SCRATCH_UNAVAILABLE`, `NO_PERMISSION` */
export async function advise(
  request: AdviseRequest,
  options: AdviseOptions,
): Promise<AdviceInDetail> {
  const { budgetMs = BUDGET_MS, cleanUpMs = 0, onProgress = () => {} } = options;
  const started = performance.now();
  const whole = new Deadline(budgetMs);
  const deadline = new Deadline(whole.leftMs() * (1 - REST));
  const late = whole.signal();
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  let left: Session | undefined;
  try {
    await using target = await connect("target", options.target, {
      deadline: whole,
      signal,
      readOnly: true,
    });
    await using scratch = await connect("scratch", options.scratch, { deadline: whole, signal });
    if (await areSame(target, scratch)) throw sameDatabase();
    left = scratch;
    await using investigation = new Investigation(target, scratch, {
      request,
      deadline,
      signal,
      onProgress,
      select: options.select ?? extend,
      kind: options.whatIf,
      repetitions: options.repetitions ?? REPETITIONS,
    });
    const findings = await investigation.run();
    return detailOf(request, findings, performance.now() - started);
  } catch (error) {
    if (error === signal.reason) throw unavailable("scratch", error);
    throw error;
  } finally {
    if (signal.aborted && left && cleanUpMs > 0) {
      await cleared(options.scratch, left, cleanUpMs).catch(() => {
        onProgress(
          "The copy gave no answer in time: indexes called index_advisor_trial_… may be left there. Whoever is advised on it next removes them.",
        );
      });
    }
  }
}

/** The session that has built is cut: the server may not have noticed yet, and then it holds on to what was built. */
async function cleared(url: string, cut: Session, ms: number): Promise<void> {
  await using session = await connect("scratch", url, { deadline: new Deadline(ms) });
  await terminate(session.client, cut);
  await session.client.query(LOCK);
  await new Builds(session).clear();
}
