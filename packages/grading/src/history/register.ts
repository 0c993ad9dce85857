import type { Operation } from "./history.ts";
import { type Linearized, linearize, type Step } from "./linearize.ts";
import { shrink } from "./shrink.ts";
import { Findings, type HistoryVerdict } from "./verdict.ts";

/**
 * `value` is the key. `read` results in what was read; `write` has what is written as `input`;
 * `cas` has `{ from, to }` as `input` and results in whether it swapped.
 */
export type RegisterOp = "read" | "write" | "cas";

export interface RegisterOptions {
  /** What a key holds before anybody wrote it. Default: null; undefined counts as null. */
  readonly initial?: unknown;
  /** For all keys together, in milliseconds; then the rest is undecided. Default: 10 000. */
  readonly budgetMs?: number;
  /** For finding a smaller counterexample, in milliseconds. Default: 500. */
  readonly shrinkMs?: number;
}

/**
 * Judges whether each key behaved like one register that does one thing at a time: linearizability.
 * Keys are judged by themselves, which is the same (Herlihy and Wing, "Linearizability", ACM TOPLAS
 * 12(3), 1990, theorem 1; as P-compositionality in Horn and Kroening, "Faster linearizability
 * checking via P-compositionality", FORTE 2015). The search is `linearize`'s.
 *
 * The problem is NP-complete, so there is a budget. A key on which it is spent is `undecided`.
 *
 * @throws RangeError for operations that are no register's
 */
export function checkRegister(
  operations: readonly Operation<RegisterOp>[],
  options: RegisterOptions = {},
): HistoryVerdict<"not-linearizable"> {
  const endsAt = performance.now() + (options.budgetMs ?? 10_000);
  const numbers = new Map<unknown, number>();
  const number = (value: unknown): number => {
    const name = typeof value === "object" && value ? JSON.stringify(value) : (value ?? null);
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  };
  const initial = number(options.initial);
  const findings = new Findings(["not-linearizable"]);

  for (const [key, group] of Map.groupBy(operations, ({ value }) => value)) {
    const steps = group
      .map((operation) => stepOf(operation, number))
      .filter((step) => step !== null);
    const found = decide(steps, initial, endsAt);
    if (found.kind === "undecided") findings.undecided(key);
    if (found.kind !== "invalid") continue;
    findings.add("not-linearizable", key, () => {
      const proof = smallestProof(steps, found.at, initial, options.shrinkMs ?? 500);
      return {
        sentence: `No order of these ${proof.length} operations on ${key} explains what they answered.`,
        proof: proof.map(({ operation }) => operation),
      };
    });
  }
  return findings.verdict(
    "each key is like one register, one operation at a time",
    operations.length,
  );
}

function stepOf(operation: Operation<RegisterOp>, number: (value: unknown) => number): Step | null {
  const { op, input, outcome, result } = operation;
  if (outcome === "fail") return null;
  if (op === "write") return { operation, kind: "write", to: number(input) };
  if (op === "read") {
    return outcome === "ok" ? { operation, kind: "read", sees: number(result) } : null;
  }
  if (op !== "cas" || typeof input !== "object" || !input || !("from" in input && "to" in input)) {
    throw new RangeError(`Operation ${operation.index}: ${op} with ${JSON.stringify(input)}.`);
  }
  const from = number(input.from);
  if (outcome === "ok" && typeof result !== "boolean") {
    throw new RangeError(`Operation ${operation.index}: a cas results in true or false.`);
  }
  if (outcome === "ok" && result === false) return { operation, kind: "miss", unlike: from };
  return { operation, kind: "cas", from, to: number(input.to) };
}

/** After how many configurations in vain another way is tried; an order is mostly found sooner. */
const PATIENCE = 5_000;
const WINDOWS = [8, 32, 128];

/**
 * To find an order is quick; to prove that there is none takes a long way back. Where the search
 * gets stuck, the operations around that place are often enough of a proof, so they are tried first.
 */
function decide(steps: readonly Step[], initial: number, endsAt: number): Linearized {
  const impossible = impossibleRead(steps, initial);
  if (impossible) return { kind: "invalid", at: impossible };
  const first = linearize(steps, initial, endsAt, PATIENCE);
  if (first.kind !== "undecided") return first;
  const before = stepsUntil(steps, first.at);
  for (const part of partsAround(first.at, before)) {
    if (linearize(withExplanations(part, before), initial, endsAt, PATIENCE).kind === "invalid") {
      return { kind: "invalid", at: first.at };
    }
  }
  return linearize(steps, initial, endsAt);
}

/**
 * Where a proof is likely: in the answer alone; among the last operations, first without the
 * compare-and-sets, which may owe their answers to nearly anything; with what else saw that value.
 */
function* partsAround(at: Step, before: readonly Step[]): Generator<readonly Step[]> {
  yield [at];
  const overwriting = lastWriteBefore(at, before);
  if (overwriting) yield [overwriting, at];
  const value = at.kind === "read" ? at.sees : at.kind === "cas" ? at.from : undefined;
  for (const size of WINDOWS) {
    const part = before.slice(-size);
    const plain = new Set(part.filter(({ kind }) => kind === "read" || kind === "write"));
    yield [...plain];
    yield part.filter(({ kind }) => kind !== "miss");
    yield part;
    yield before.filter((step) => plain.has(step) || (step.kind === "read" && step.sees === value));
  }
}

/** Of the writes that certainly came before that, the one that began last. */
function lastWriteBefore({ operation }: Step, steps: readonly Step[]): Step | undefined {
  return steps
    .filter((step) => changesForCertain(step) && step.operation.completedAt < operation.invokedAt)
    .reduce<Step | undefined>(
      (last, step) => (last && last.operation.invokedAt >= step.operation.invokedAt ? last : step),
      undefined,
    );
}

function changesForCertain({ kind, operation }: Step): boolean {
  return (kind === "write" || kind === "cas") && operation.outcome === "ok";
}

/**
 * A read of what nobody can have written last: begun too late, overwritten too early, or never
 * written. Most of what goes wrong is that simple, and no search is needed for it.
 */
function impossibleRead(steps: readonly Step[], initial: number): Step | undefined {
  const sources = new Map<number, Operation[]>();
  for (const { operation, ...what } of steps) {
    if (what.kind !== "write" && what.kind !== "cas") continue;
    const list = sources.get(what.to) ?? [];
    list.push(operation);
    sources.set(what.to, list);
  }
  const byEnd = steps
    .filter(changesForCertain)
    .sort((one, other) => one.operation.completedAt - other.operation.completedAt);
  const byBegin = steps.toSorted(
    (one, other) => one.operation.invokedAt - other.operation.invokedAt,
  );
  let overwrittenAt = Number.NEGATIVE_INFINITY;
  let ended = 0;
  for (const step of byBegin) {
    const { invokedAt, completedAt } = step.operation;
    for (let next = byEnd[ended]; next && next.operation.completedAt < invokedAt; ) {
      overwrittenAt = Math.max(overwrittenAt, next.operation.invokedAt);
      ended += 1;
      next = byEnd[ended];
    }
    if (step.kind !== "read") continue;
    if (step.sees === initial && overwrittenAt === Number.NEGATIVE_INFINITY) continue;
    const isPossible = sources
      .get(step.sees)
      ?.some((source) => source.invokedAt <= completedAt && source.completedAt >= overwrittenAt);
    if (!isPossible) return step;
  }
  return undefined;
}

/** What had begun when that was answered, in order of beginning. */
function stepsUntil(steps: readonly Step[], { operation: { completedAt } }: Step): Step[] {
  return steps
    .filter(({ operation }) => operation.invokedAt <= completedAt)
    .sort((one, other) => one.operation.invokedAt - other.operation.invokedAt);
}

/** Few steps that can't be explained, whatever else happened: see `withExplanations`. */
function smallestProof(
  steps: readonly Step[],
  at: Step,
  initial: number,
  budgetMs: number,
): readonly Step[] {
  const endsAt = performance.now() + budgetMs;
  const before = stepsUntil(steps, at);
  const isWrong = (subset: readonly Step[]) =>
    linearize(withExplanations(subset, before), initial, endsAt, PATIENCE).kind === "invalid";
  const start = partsAround(at, before).find(isWrong) ?? before;
  const smallest = shrink(start, isWrong, endsAt - performance.now());
  return withOrigins(withExplanations(smallest, before), before);
}

/** For people: where a value that was read too late came from, if anybody ever wrote it. */
function withOrigins(part: readonly Step[], all: readonly Step[]): readonly Step[] {
  const kept = new Set(part);
  for (const step of part) {
    if (step.kind !== "read") continue;
    const origins = all.filter(
      (it) => (it.kind === "write" || it.kind === "cas") && it.to === step.sees,
    );
    const origin = origins.findLast(
      ({ operation }) => operation.completedAt < step.operation.invokedAt,
    );
    if (origin && !origins.some((it) => kept.has(it))) kept.add(origin);
  }
  return all.filter((step) => kept.has(step));
}

/**
 * The steps, and all those that any of them may owe its answer to. If a history is linearizable, so
 * is each such part of it: leave the other operations out of its order, and each answer still
 * comes from where it came. So a part that is not linearizable proves the whole not to be.
 */
function withExplanations(part: readonly Step[], all: readonly Step[]): readonly Step[] {
  const kept = new Set(part);
  const certain = part.filter(changesForCertain);
  const queue = [...part];
  for (let step = queue.pop(); step; step = queue.pop()) {
    if (step.kind === "write") continue;
    const { invokedAt, completedAt } = step.operation;
    // What ended before this was overwritten for certain when the step began.
    const overwrittenAt = certain.reduce(
      (latest, { operation }) =>
        operation.completedAt < invokedAt ? Math.max(latest, operation.invokedAt) : latest,
      Number.NEGATIVE_INFINITY,
    );
    for (const source of all) {
      if (source.kind === "read" || source.kind === "miss" || kept.has(source)) continue;
      const { operation } = source;
      if (operation.invokedAt > completedAt || operation.completedAt < overwrittenAt) continue;
      const explains =
        step.kind === "read"
          ? source.to === step.sees
          : step.kind === "miss"
            ? source.to !== step.unlike
            : source.to === step.from;
      if (!explains) continue;
      kept.add(source);
      queue.push(source);
    }
  }
  return all.filter((step) => kept.has(step));
}
