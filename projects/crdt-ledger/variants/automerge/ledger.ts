/**
 * Rights to spend, as a list for each actor: what they were given, and, below 0, what they gave away. A change
 * is judged by those of them that its actor had seen. Nobody's sum is ever below 0 then, and an account's
 * balance is the sum of all that were given of it.
 */
import type { Actor } from "../../contract.ts";
import type { Origin } from "./codec.ts";
import type { Entry } from "./values.ts";

export type Sees = (origin: Origin) => boolean;

interface Right {
  readonly account: string;
  readonly amount: number;
  readonly origin: Origin;
}

export class Ledger {
  readonly #treasurer: Actor;
  readonly #rights = new Map<Actor, Right[]>();

  constructor(treasurer: Actor) {
    this.#treasurer = treasurer;
  }

  balances(): Record<string, number> {
    const balances = new Map<string, number>();
    for (const { account, amount } of [...this.#rights.values()].flat()) {
      balances.set(account, (balances.get(account) ?? 0) + amount);
    }
    return Object.fromEntries([...balances].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  escrow(actor: Actor, account: string, sees: Sees = () => true): number {
    return (this.#rights.get(actor) ?? [])
      .filter((right) => right.account === account && sees(right.origin))
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  /** @returns undefined where it may be written */
  whyNot(entry: Entry, { actor }: Origin, sees?: Sees): "treasurer" | "escrow" | undefined {
    if (entry.kind === "issue") return actor === this.#treasurer ? undefined : "treasurer";
    const account = entry.kind === "transfer" ? entry.from : entry.account;
    return this.escrow(actor, account, sees) < entry.amount ? "escrow" : undefined;
  }

  /** @returns what takes it back */
  write(entry: Entry, origin: Origin): () => void {
    const { actor } = origin;
    const { amount } = entry;
    const given: [Actor, Right][] = [];
    const give = (to: Actor, account: string, of: number) =>
      given.push([to, { account, amount: of, origin }]);
    if (entry.kind === "transfer") give(actor, entry.from, -amount);
    if (entry.kind === "lend") give(actor, entry.account, -amount);
    if (entry.kind === "transfer") give(actor, entry.to, amount);
    else give(entry.kind === "lend" ? entry.to : actor, entry.account, amount);
    for (const [to, right] of given) this.#of(to).push(right);
    return () => {
      for (const [to, right] of given) this.#of(to).splice(this.#of(to).lastIndexOf(right), 1);
    };
  }

  #of(actor: Actor): Right[] {
    const rights = this.#rights.get(actor) ?? [];
    this.#rights.set(actor, rights);
    return rights;
  }
}
