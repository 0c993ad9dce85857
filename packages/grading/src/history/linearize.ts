import type { Operation } from "./history.ts";

/** A register's operations, with their values numbered. */
export type Step = { readonly operation: Operation } & (
  | { readonly kind: "read"; readonly sees: number }
  /** A compare-and-set that found another value than the one it asked for. */
  | { readonly kind: "miss"; readonly unlike: number }
  | { readonly kind: "write"; readonly to: number }
  | { readonly kind: "cas"; readonly from: number; readonly to: number }
);

export type Linearized =
  | { readonly kind: "valid" }
  /** No order explains what had been answered when the operation of step `at` was. */
  | { readonly kind: "invalid"; readonly at: Step }
  /** `at`: the furthest that it came. */
  | { readonly kind: "undecided"; readonly at: Step };

/** One way in which things may have gone so far. The masks are over the slots of open operations. */
interface Configuration {
  readonly state: number;
  /** Reads that are explained, and writes that may have been overwritten before anybody looked. */
  readonly free: bigint;
  /** Writes and compare-and-sets whose value was the register's. */
  readonly done: bigint;
}

interface Open {
  readonly step: Step;
  readonly bit: bigint;
}

/** An answer, and what was open when it came. */
interface Layer {
  readonly answered: Open;
  /** Operations that will be answered, this one included. */
  readonly open: readonly Open[];
  /** The slots of the writes among them. */
  readonly writes: bigint;
  /** How many operations without an answer had begun: each may happen from now on, or never. */
  readonly optional: number;
  /** Everything that was tried here. */
  readonly seen: Configurations;
  readonly queue: Configuration[];
}

/** After how many configurations in vain the search goes back by more than one answer. */
const LEAP_AFTER = 100;
const LEAPS = 7;

/**
 * Decides whether one register can have answered like that.
 *
 * Just-in-time linearization: walk through the answers in real time, and let an operation take
 * effect only when an answer forces it to; go back when there is no way on, and never try a
 * configuration twice. After Wing and Gong, "Testing and verifying concurrent objects" (J. Parallel
 * Distrib. Comput. 17, 1993), and Lowe, "Testing for linearizability" (Concurrency Computat. Pract.
 * Exper. 29(4), 2017).
 *
 * What is special about a register keeps the search small:
 * - a read changes nothing, so it is explained as soon as the state is right, at no cost;
 * - a write that nobody looks at before the next write leaves no trace. So each write makes the open
 *   ones `free`: they may have gone just before it. A write is made visible only when its own
 *   answer arrives, or when somebody open waits for its value;
 * - a configuration is dropped when another one can do whatever it could still do.
 *
 * @param endsAt `performance.now()` at which to give up
 * @param patience gives up as well after this many configurations without coming further
 */
export function linearize(
  steps: readonly Step[],
  initial: number,
  endsAt: number,
  patience = Number.POSITIVE_INFINITY,
): Linearized {
  const { layers, optionals } = layersOf(steps);
  let depth = 0;
  let deepest = 0;
  let sinceDeepest = 0;
  let leapAt = LEAP_AFTER;
  const furthest = () => (layers[deepest] ?? (layers[layers.length - 1] as Layer)).answered.step;
  const enter = (to: number, { state, free, done }: Configuration) => {
    const layer = layers[to];
    if (!layer) return;
    const settled = { state, free: free | explainedBy(state, layer), done };
    if (layer.seen.add(settled)) layer.queue.push(settled);
  };
  enter(0, { state: initial, free: 0n, done: 0n });

  for (let layer = layers[depth]; layer; layer = layers[depth]) {
    const one = layer.queue.pop();
    if (!one) {
      // After a leap back there may be something left to try further on.
      depth = depth > 0 ? depth - 1 : layers.findLastIndex(({ queue }) => queue.length > 0);
      if (depth < 0) return { kind: "invalid", at: furthest() };
      continue;
    }
    sinceDeepest += 1;
    if (sinceDeepest > patience || performance.now() > endsAt)
      return { kind: "undecided", at: furthest() };
    const { step, bit } = layer.answered;
    const next: Configuration[] = [];
    if ((one.done & bit) !== 0n) next.push(one);
    else {
      if ((one.free & bit) !== 0n) next.push(one);
      if (step.kind === "write" || (step.kind === "cas" && step.from === one.state)) {
        next.push(apply(one, layer.answered, layer));
      }
      const isExplained = (step.kind === "read" || step.kind === "miss") && next.length > 0;
      if (!isExplained) {
        for (const other of worthTrying(one, layer, optionals)) {
          enter(depth, apply(one, other, layer));
        }
      }
    }
    if (next.length === 0) {
      if (sinceDeepest >= leapAt) {
        // The wrong turn was taken earlier: leap back, twice as far each time, and then from anew.
        leapAt += LEAP_AFTER;
        depth = Math.max(0, depth - 2 ** (Math.floor(sinceDeepest / LEAP_AFTER) % LEAPS));
      }
      continue;
    }
    depth += 1;
    if (depth > deepest) {
      deepest = depth;
      sinceDeepest = 0;
      leapAt = LEAP_AFTER;
    }
    for (const { state, free, done } of next) {
      enter(depth, { state, free: free & ~bit, done: done & ~bit });
    }
  }
  return { kind: "valid" };
}

function layersOf(steps: readonly Step[]): { layers: Layer[]; optionals: Open[] } {
  const layers: Layer[] = [];
  const optionals: Open[] = [];
  const open = new Map<Step, Open>();
  // Slots are used again once an answer came; those of operations without an answer never are.
  const slots: bigint[] = [];
  let slotCount = 0n;
  let optional = 0n;
  for (const { step, begins } of eventsOf(steps)) {
    if (begins) {
      const it = { step, bit: slots.pop() ?? 1n << slotCount++ };
      if (step.operation.outcome === "ok") open.set(step, it);
      else {
        optionals.push(it);
        optional |= it.bit;
      }
      continue;
    }
    const answered = open.get(step) as Open;
    const all = [...open.values()];
    layers.push({
      answered,
      open: all,
      writes: all.reduce((mask, it) => (it.step.kind === "write" ? mask | it.bit : mask), 0n),
      optional: optionals.length,
      seen: new Configurations(optional),
      queue: [],
    });
    open.delete(step);
    slots.push(answered.bit);
  }
  return { layers, optionals };
}

/** In real time. At the same instant beginnings come first: then the operations overlap. */
function eventsOf(steps: readonly Step[]): { step: Step; begins: boolean; at: number }[] {
  return steps
    .flatMap((step) => {
      const begin = { step, begins: true, at: step.operation.invokedAt };
      return step.operation.outcome === "ok"
        ? [begin, { step, begins: false, at: step.operation.completedAt }]
        : [begin];
    })
    .sort((one, other) => one.at - other.at || Number(other.begins) - Number(one.begins));
}

/** The slots of the open reads that the state explains. */
function explainedBy(state: number, { open }: Layer): bigint {
  let mask = 0n;
  for (const { step, bit } of open) if (explains(state, step)) mask |= bit;
  return mask;
}

function apply(one: Configuration, { step, bit }: Open, layer: Layer): Configuration {
  if (step.kind !== "write" && step.kind !== "cas") return one;
  const done = one.done | bit;
  const hidden = step.kind === "write" ? layer.writes & ~done : 0n;
  return { state: step.to, free: (one.free & ~bit) | hidden, done };
}

/** Open writes and compare-and-sets whose turn may be now; what is likeliest comes last. */
function worthTrying(one: Configuration, layer: Layer, optionals: readonly Open[]): Open[] {
  const wanted = new Set<number>();
  let anyOther = false;
  for (const { step, bit } of layer.open) {
    if (((one.free | one.done) & bit) !== 0n) continue;
    if (step.kind === "read") wanted.add(step.sees);
    if (step.kind === "cas") wanted.add(step.from);
    // It waits for any value but the present one, or it would be explained.
    if (step.kind === "miss") anyOther = true;
  }
  const possible = optionals.slice(0, layer.optional).filter(({ bit }) => (one.done & bit) === 0n);
  // A compare-and-set without an answer may be a link in a chain that ends where somebody waits.
  for (let size = -1; size < wanted.size; ) {
    size = wanted.size;
    for (const { step } of possible) {
      if (step.kind === "cas" && (anyOther || wanted.has(step.to))) wanted.add(step.from);
    }
  }
  // Also the present value, for a compare-and-set: a write of it may hide other writes.
  const isWanted = (value: number) => wanted.has(value) || (anyOther && value !== one.state);

  // Of those without an answer that do the same, any is as good as any other: the first is taken.
  const alike = new Map<string, Open>();
  for (const it of possible) {
    const { step } = it;
    if (step.kind !== "write" && step.kind !== "cas") continue;
    if (!isWanted(step.to) || (step.kind === "cas" && step.from !== one.state)) continue;
    const what = `${step.kind}>${step.to}`;
    if (!alike.has(what)) alike.set(what, it);
  }
  const certain = layer.open.filter(
    ({ step, bit }) =>
      bit !== layer.answered.bit &&
      (one.done & bit) === 0n &&
      ((step.kind === "write" && isWanted(step.to)) ||
        (step.kind === "cas" && step.from === one.state)),
  );
  return [...alike.values(), ...certain];
}

function explains(state: number, step: Step): boolean {
  if (step.kind === "read") return step.sees === state;
  return step.kind === "miss" && step.unlike !== state;
}

/** A set that keeps only what no other member can stand in for. */
class Configurations {
  readonly #byState = new Map<number, Configuration[]>();
  readonly #optional: bigint;

  /** @param optional the slots of operations without an answer */
  constructor(optional: bigint) {
    this.#optional = optional;
  }

  /** False if a member can stand in for it. */
  add(one: Configuration): boolean {
    const rivals = this.#byState.get(one.state) ?? [];
    if (rivals.some((rival) => standsIn(rival, one, this.#optional))) return false;
    const kept = rivals.filter((rival) => !standsIn(one, rival, this.#optional));
    kept.push(one);
    this.#byState.set(one.state, kept);
    return true;
  }
}

/**
 * Whether whatever `other` can still do, `one` can do too, their state being the same: it has
 * explained no less, and what it has used up, the other has too. (What has no answer is never free,
 * and never needs to be: using less of it is better.)
 */
function standsIn(one: Configuration, other: Configuration, optional: bigint): boolean {
  return (
    (other.free & ~one.free) === 0n &&
    (one.done & ~other.done) === 0n &&
    (other.done & ~(one.done | one.free | optional)) === 0n
  );
}
