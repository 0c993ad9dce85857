/**
 * Balances, and who may spend how much of them, as a fold over what actors wrote. An actor spends only
 * what it had the right to, given what it had seen; so the rights are never below 0 in any order in which
 * changes can come, and a balance, which is the sum of the rights to it, isn't either (the bounded counter:
 * Balegas and others, "Extending Eventually Consistent Cloud Databases for Enforcing Numeric Invariants",
 * SRDS 2015).
 */
import type { Actor } from "../../contract.ts";
import type { Entry } from "../model.ts";

/** Where in the history an entry was written: a change that had seen it has the counter in its past. */
export interface Origin {
  readonly actor: Actor;
  readonly counter: number;
}
export interface Written {
  readonly entry: Entry;
  readonly origin: Origin;
}
/** Whether the writer of an entry had seen something. */
export type Sees = (origin: Origin) => boolean;

interface Lent {
  readonly account: string;
  readonly amount: number;
  readonly origin: Origin;
}

export class Ledger {
  readonly #treasurer: Actor;
  readonly #balances = new Map<string, number>();
  readonly #rights = new Map<Actor, Map<string, number>>();
  readonly #lent = new Map<Actor, Lent[]>();
  /** All of it, in the order in which it came. */
  readonly written: Written[] = [];

  constructor(treasurer: Actor, written: readonly Written[] = []) {
    this.#treasurer = treasurer;
    for (const one of written) this.write(one);
  }

  /** Whether nobody has spent more than the right to it. */
  isCovered(): boolean {
    return this.#rights.values().every((rights) => rights.values().every((right) => right >= 0));
  }

  balances(): Record<string, number> {
    return Object.fromEntries([...this.#balances].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** What an actor may spend: all that it has the right to, less what was lent to it out of its sight. */
  escrow(actor: Actor, account: string, sees: Sees = () => true): number {
    const unseen = (this.#lent.get(actor) ?? [])
      .filter((lent) => lent.account === account && !sees(lent.origin))
      .reduce((sum, { amount }) => sum + amount, 0);
    return (this.#rights.get(actor)?.get(account) ?? 0) - unseen;
  }

  mayWrite({ entry, origin: { actor } }: Written, sees?: Sees): "yes" | "escrow" | "treasurer" {
    if (entry.kind === "issue") return actor === this.#treasurer ? "yes" : "treasurer";
    const account = entry.kind === "transfer" ? entry.from : entry.account;
    return this.escrow(actor, account, sees) >= entry.amount ? "yes" : "escrow";
  }

  write(written: Written): void {
    const { entry, origin } = written;
    const { actor } = origin;
    this.written.push(written);
    switch (entry.kind) {
      case "issue":
        add(this.#balances, entry.account, entry.amount);
        this.#right(actor, entry.account, entry.amount);
        break;
      case "transfer":
        add(this.#balances, entry.from, -entry.amount);
        add(this.#balances, entry.to, entry.amount);
        this.#right(actor, entry.from, -entry.amount);
        this.#right(actor, entry.to, entry.amount);
        break;
      case "lend": {
        this.#right(actor, entry.account, -entry.amount);
        this.#right(entry.to, entry.account, entry.amount);
        // What one lends to oneself was never out of sight.
        if (entry.to === actor) break;
        const lent = this.#lent.get(entry.to) ?? [];
        this.#lent.set(entry.to, lent);
        lent.push({ account: entry.account, amount: entry.amount, origin });
      }
    }
  }

  #right(actor: Actor, account: string, amount: number): void {
    const rights = this.#rights.get(actor) ?? new Map<string, number>();
    this.#rights.set(actor, rights);
    add(rights, account, amount);
  }
}

function add(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}
