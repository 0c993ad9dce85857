import type {
  BankOp,
  CounterOp,
  MutexOp,
  Operation,
  Random,
  RegisterOp,
  SetOp,
  Transfer,
} from "../../src/index.ts";
import { simulate } from "./simulate.ts";

export interface Load {
  readonly random: Random;
  readonly count: number;
  readonly processes?: number;
  readonly unknownPercent?: number;
}

/** Reads, writes and compare-and-sets of small numbers on some keys. */
export function registers({
  keys = 1,
  values = 5,
  casPercent = 15,
  processes = 10,
  ...load
}: Load & { keys?: number; values?: number; casPercent?: number }): Operation<RegisterOp>[] {
  const { random } = load;
  const state = new Map<string, number>();
  return simulate<RegisterOp>({
    ...load,
    processes,
    next() {
      const value = `k${random.int(1, keys)}`;
      const draw = random.int(1, 100);
      const some = () => random.int(1, values);
      if (draw <= casPercent) return { op: "cas", value, input: { from: some(), to: some() } };
      return draw <= 55 ? { op: "write", value, input: some() } : { op: "read", value };
    },
    apply({ op, value, input }) {
      const present = state.get(value) ?? null;
      if (op === "read") return { result: present };
      if (op === "write") {
        state.set(value, input as number);
        return {};
      }
      const { from, to } = input as { from: number; to: number };
      if (present === from) state.set(value, to);
      return { result: present === from };
    },
  });
}

/** Additions of small amounts, below zero too, to one counter. */
export function counter({
  processes = 10,
  least = -3,
  ...load
}: Load & { least?: number }): Operation<CounterOp>[] {
  let count = 0;
  return simulate<CounterOp>({
    ...load,
    processes,
    next: () =>
      load.random.int(0, 1) === 0
        ? { op: "read", value: "c" }
        : { op: "add", value: "c", input: load.random.int(least, 3) },
    apply({ op, input }) {
      if (op === "read") return { result: count };
      count += input as number;
      return {};
    },
  });
}

export const openingBalances = { a: 100, b: 100, c: 100, d: 100, e: 100 };

/** Transfers between five accounts, refused when the balance is too low. */
export function bank({ processes = 10, ...load }: Load): Operation<BankOp>[] {
  const balances: Record<string, number> = { ...openingBalances };
  return simulate<BankOp>({
    ...load,
    processes,
    next() {
      if (load.random.int(0, 1) === 0) return { op: "read", value: "all" };
      const [from = "a", to = "b"] = load.random.shuffle(Object.keys(balances));
      const amount = load.random.int(1, 30);
      return { op: "transfer", value: `${from}→${to}`, input: { from, to, amount } };
    },
    apply({ op, input }) {
      if (op === "read") return { result: { ...balances } };
      const { from, to, amount } = input as Transfer;
      if ((balances[from] ?? 0) < amount) return { outcome: "fail" };
      balances[from] = (balances[from] ?? 0) - amount;
      balances[to] = (balances[to] ?? 0) + amount;
      return {};
    },
  });
}

/** Clients that take a lock, write to the store that it protects, and give it back. */
export function mutex({ processes = 10, ...load }: Load): Operation<MutexOp>[] {
  const value = "lock";
  let token = 0;
  let holder: string | undefined;
  let newest = 0;
  return simulate<MutexOp>({
    ...load,
    processes,
    next(_, last) {
      const held = last?.op === "acquire" ? last.result : last?.input;
      if (!last || last.op === "release" || last.outcome !== "ok") return { op: "acquire", value };
      return { op: last.op === "acquire" ? "write" : "release", value, input: held };
    },
    apply({ op, process, input }) {
      if (op === "acquire") {
        if (holder !== undefined) return { outcome: "fail" };
        holder = process;
        token += 1;
        return { result: token };
      }
      if (op === "write") {
        if ((input as number) < newest) return { outcome: "fail" };
        newest = input as number;
        return {};
      }
      holder = undefined;
      return {};
    },
  });
}

/** Elements that are added once, read often, and half of the time removed. */
export function sets({ processes = 10, ...load }: Load): Operation<SetOp>[] {
  const { random } = load;
  const there = new Set<string>();
  const known: string[] = [];
  return simulate<SetOp>({
    ...load,
    processes,
    next() {
      const draw = random.int(1, 100);
      if (known.length === 0 || draw <= 20) {
        known.push(`e${known.length}`);
        return { op: "add", value: known.at(-1) as string };
      }
      const value = random.pick(known.slice(-50));
      return { op: draw <= 30 ? "remove" : "read", value };
    },
    apply({ op, value }) {
      if (op === "read") return { result: there.has(value) };
      if (op === "add") there.add(value);
      else there.delete(value);
      return {};
    },
  });
}
