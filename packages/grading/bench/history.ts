/**
 * What judging a history of 10 000 operations costs on this machine, and, where it is wrong, finding
 * the counterexample too. Run: `pnpm bench` in this package.
 */
import {
  checkBank,
  checkCounter,
  checkMutex,
  checkRegister,
  checkSet,
  type HistoryVerdict,
  type Operation,
  randomFrom,
} from "../src/index.ts";
import { bank, counter, mutex, openingBalances, registers, sets } from "../test/history/objects.ts";

const count = 10_000;
const rounds = 5;

function measure<Op extends string>(
  what: string,
  make: (seed: number) => Operation<Op>[],
  check: (operations: readonly Operation<Op>[]) => HistoryVerdict,
  wrong: object | ((history: readonly Operation<Op>[]) => object),
  spoils = "read",
): void {
  for (const spoilt of [false, true]) {
    const times: number[] = [];
    const answers = new Set<string>();
    const sizes: number[] = [];
    for (let seed = 1; seed <= rounds; seed++) {
      const history = make(seed);
      // The last answer of that kind becomes one that nothing explains.
      const last = history.findLastIndex(({ op, outcome }) => outcome === "ok" && op === spoils);
      const change = typeof wrong === "function" ? wrong(history) : wrong;
      const judged = spoilt
        ? history.with(last, { ...(history[last] as Operation<Op>), ...change })
        : history;
      const begin = performance.now();
      const verdict = check(judged);
      times.push(performance.now() - begin);
      answers.add(
        verdict.valid ? "valid" : verdict.counterexample.length > 0 ? "invalid" : "undecided",
      );
      sizes.push(verdict.counterexample.length);
    }
    times.sort((one, other) => one - other);
    const at = (place: number) => (times[place] ?? 0).toFixed(0).padStart(5);
    console.log(
      `${what.padEnd(44)} ${[...answers].join(", ").padEnd(8)} median ${at(rounds >> 1)} ms   most ${at(rounds - 1)} ms` +
        (spoilt ? `   proof ${Math.min(...sizes)} to ${Math.max(...sizes)} operations` : ""),
    );
  }
}

const odd = { result: 77_777 };
const register = (what: string, more: Partial<Parameters<typeof registers>[0]>) =>
  measure(
    `register, ${what}`,
    (seed) => registers({ random: randomFrom(seed), count, ...more }),
    (history) => checkRegister(history),
    odd,
  );
console.log(`${count} operations, 10 clients, ${rounds} seeds`);
register("300 keys, 1 % unknown", { keys: 300, unknownPercent: 1 });
register("1 key, 1 % unknown", { unknownPercent: 1 });
register("1 key, 5 % unknown", { unknownPercent: 5 });
register("1 key, 1 % unknown, 30 clients", { unknownPercent: 1, processes: 30 });
register("1 key, 1000 values, 1 % unknown", { unknownPercent: 1, values: 1_000 });
measure(
  "register, 1 key, a stale read",
  (seed) => registers({ random: randomFrom(seed), count, unknownPercent: 1, values: 1_000 }),
  (history) => checkRegister(history),
  // What the first write wrote, long overwritten.
  (history) => ({ result: history.find(({ op }) => op === "write")?.input }),
);
measure(
  "set, 1 % unknown",
  (seed) => sets({ random: randomFrom(seed), count, unknownPercent: 1 }),
  (history) => checkSet(history),
  { op: "read", value: "nobody's", result: true },
);
measure(
  "counter, 1 % unknown",
  (seed) => counter({ random: randomFrom(seed), count, unknownPercent: 1 }),
  (history) => checkCounter(history),
  { op: "read", input: undefined, result: 1_000_000 },
);
measure(
  "bank, 5 accounts, 1 % unknown",
  (seed) => bank({ random: randomFrom(seed), count, unknownPercent: 1 }),
  (history) => checkBank(history, { accounts: openingBalances }),
  { result: { a: 500, b: 0, c: 0, d: 0, e: 0 } },
);
measure(
  "mutex, nothing unknown",
  (seed) => mutex({ random: randomFrom(seed), count }),
  (history) => checkMutex(history),
  { input: 0 },
  "write",
);
