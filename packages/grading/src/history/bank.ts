import { boundsBetween, type Change, contradiction, SumBounds } from "./bounds.ts";
import { lastBefore, range } from "./counter.ts";
import type { Operation } from "./history.ts";
import { Findings, type HistoryVerdict } from "./verdict.ts";

/**
 * `transfer` has a `Transfer` as `input`; `read` results in the balances of all accounts, as an
 * object. `value` is free text.
 */
export type BankOp = "transfer" | "read";

export interface Transfer {
  readonly from: string;
  readonly to: string;
  /** Above zero. */
  readonly amount: number;
}

export interface BankOptions {
  /** What the accounts hold at the beginning. There are no others. */
  readonly accounts: Readonly<Record<string, number>>;
  /** Default: false. */
  readonly allowNegative?: boolean;
}

/**
 * `incomplete`: accounts missing, or made up. `wrong-total`: money appeared or vanished.
 * `unexplained`: a balance that the transfers don't allow, then or after the read before.
 */
export type BankAnomaly = "incomplete" | "wrong-total" | "negative" | "unexplained";

/**
 * Judges reads of all accounts of a bank as snapshots. Of each it checks that
 * - every account is there, and the total is what it was at the beginning;
 * - no balance is below zero, unless that is allowed;
 * - there is a moment of the read at which every balance is between the least and the greatest that
 *   the transfers allow then, those of unknown outcome counted or not;
 * - every balance can follow the one in the last read that ended before this one began.
 *
 * It doesn't search for an order of all transfers. So it doesn't check that one choice of open
 * transfers explains all accounts of a read at once, nor that it agrees with the choices of other
 * reads, nor that a transfer was refused for a good reason. The total is after Jepsen's `bank`
 * workload (jepsen.tests.bank).
 *
 * @throws RangeError for transfers that are none
 */
export function checkBank(
  operations: readonly Operation<BankOp>[],
  { accounts, allowNegative = false }: BankOptions,
): HistoryVerdict<BankAnomaly> {
  const findings = new Findings<BankAnomaly>([
    "incomplete",
    "wrong-total",
    "negative",
    "unexplained",
  ]);
  const names = Object.keys(accounts);
  const total = sumOf(Object.values(accounts));
  const complete: Snapshot[] = [];
  for (const operation of operations) {
    if (operation.op !== "read" || operation.outcome !== "ok") continue;
    const balances = operation.result as Readonly<Record<string, number>>;
    const subject = `read ${operation.index}`;
    const show = (sentence: string) => () => ({ sentence, proof: [operation] });
    const odd = [...new Set([...names, ...Object.keys(balances ?? {})])].filter(
      (name) => !(name in accounts) || !Number.isFinite(balances?.[name]),
    );
    if (odd.length > 0) {
      findings.add(
        "incomplete",
        subject,
        show(`A read got ${odd.join(", ")} wrong: these are not the accounts.`),
      );
      continue;
    }
    complete.push({ operation, balances });
    const sum = sumOf(Object.values(balances));
    if (sum !== total) {
      findings.add(
        "wrong-total",
        subject,
        show(`A read saw ${sum} in all accounts together instead of ${total}.`),
      );
    }
    const negative = names.find((name) => (balances[name] ?? 0) < 0);
    if (negative !== undefined && !allowNegative) {
      findings.add("negative", subject, show(`A read saw ${balances[negative]} on ${negative}.`));
    }
  }
  explain(findings, operations, accounts, complete);
  const expected = `a total of ${total} in every read${allowNegative ? "" : ", no balance below zero"}, every balance explained by transfers`;
  return findings.verdict(expected, operations.length);
}

interface Snapshot {
  readonly operation: Operation;
  readonly balances: Readonly<Record<string, number>>;
}

function explain(
  findings: Findings<BankAnomaly>,
  operations: readonly Operation<BankOp>[],
  accounts: Readonly<Record<string, number>>,
  snapshots: readonly Snapshot[],
): void {
  const transfers = operations.filter(({ op, outcome }) => op === "transfer" && outcome !== "fail");
  const inputs = transfers.map((operation) => ({ operation, ...transferOf(operation, accounts) }));
  const books = Object.entries(accounts).map(([name, initial]) => {
    // On each account every transfer is listed, so that all accounts have the same moments.
    const all: Change[] = inputs.map(({ operation, from, to, amount }) => ({
      operation,
      by: (to === name ? amount : 0) - (from === name ? amount : 0),
    }));
    const changes = all.filter(({ by }) => by !== 0);
    return { name, initial, changes, bounds: new SumBounds(initial, all) };
  });
  const inOrder = snapshots.toSorted(
    (one, other) => one.operation.completedAt - other.operation.completedAt,
  );
  for (const { operation, balances } of inOrder) {
    const last = lastBefore(operation, inOrder);
    const moments = books.map(({ bounds }) => bounds.during(operation));
    const isMoment = moments[0]?.some((_, moment) =>
      books.every(({ name }, index) => {
        const bounds = moments[index]?.[moment];
        const balance = balances[name] ?? 0;
        return bounds && bounds.lower <= balance && balance <= bounds.upper;
      }),
    );
    const follows =
      !last ||
      books.every(({ name, changes }) => {
        const { lower, upper } = boundsBetween(last.operation, operation, changes);
        const by = (balances[name] ?? 0) - (last.balances[name] ?? 0);
        return lower <= by && by <= upper;
      });
    if (isMoment !== false && follows) continue;
    findings.add("unexplained", `read ${operation.index}`, () => {
      for (const { name, initial, changes } of books) {
        const readingOf = (one: Snapshot) => ({
          operation: one.operation,
          sum: one.balances[name] ?? 0,
        });
        const later = readingOf({ operation, balances });
        const why = contradiction(initial, inOrder.map(readingOf), later, changes);
        if (!why) continue;
        return {
          sentence: `A read saw ${later.sum} on ${name}; it had to be ${range(why.bounds)}${why.earlier ? ` after one that saw ${why.earlier.sum}` : ""}.`,
          proof: why.proof,
        };
      }
      const begun = transfers.filter(({ invokedAt }) => invokedAt <= operation.completedAt);
      return {
        sentence: "A read saw balances that the accounts had at no one moment of it.",
        proof: [...begun, operation],
      };
    });
  }
}

function transferOf(
  { index, input }: Operation,
  accounts: Readonly<Record<string, number>>,
): Transfer {
  const { from, to, amount } = (input ?? {}) as Partial<Transfer>;
  if (
    from !== undefined &&
    to !== undefined &&
    from in accounts &&
    to in accounts &&
    Number(amount) > 0
  ) {
    return { from, to, amount: Number(amount) };
  }
  throw new RangeError(`Operation ${index}: a transfer with ${JSON.stringify(input)}.`);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
