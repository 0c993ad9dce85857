/** Clients at work: each knows what its own accounts must say, and so whether an answer is right. */
import { isDeepStrictEqual } from "node:util";
import type { Random } from "@db-katas/grading";
import type { Account, MigrationNode } from "../contract.ts";

/** How long a client rests between two calls, in milliseconds. */
const REST_MS = 4;

/** What came of the calls, since it was last asked. */
export interface Counts {
  calls: number;
  /** Reads, and those of them that modern answered. */
  reads: number;
  fromModern: number;
  /** Calls that were rejected. */
  refused: number;
  /** Reads that did not say what was written last. */
  wrong: number;
  /** The slowest call, in milliseconds. */
  slowestMs: number;
}

const none = (): Counts => ({
  calls: 0,
  reads: 0,
  fromModern: 0,
  refused: 0,
  wrong: 0,
  slowestMs: 0,
});

export class Clients {
  readonly #random: Random;
  readonly #known: Map<string, Account | null>[];
  readonly #ended = new AbortController();
  readonly #running: Promise<unknown>;
  #recent = none();
  readonly total = none();

  /** @param accounts dealt out among the clients: nobody else writes them */
  constructor(random: Random, nodes: readonly MigrationNode[], accounts: Iterable<Account>) {
    this.#random = random;
    this.#known = nodes.map(() => new Map());
    for (const [index, account] of [...accounts].entries()) {
      this.#known[index % nodes.length]?.set(account.id, account);
    }
    this.#running = Promise.all(nodes.map((node, index) => this.#work(node, index)));
  }

  /** What was counted since the last time. */
  take(): Counts {
    const recent = this.#recent;
    this.#recent = none();
    return recent;
  }

  /** @returns what both stores must hold now */
  async stop(): Promise<Map<string, Account>> {
    this.#ended.abort();
    await this.#running;
    const known = this.#known.flatMap((each) => [...each]);
    return new Map(known.flatMap(([id, account]) => (account ? [[id, account] as const] : [])));
  }

  async #work(node: MigrationNode, index: number): Promise<void> {
    const known = this.#known[index] ?? new Map<string, Account | null>();
    const ids = [...known.keys()];
    while (!this.#ended.signal.aborted) {
      const id = this.#random.pick(ids);
      const account = known.get(id) ?? null;
      const begin = performance.now();
      try {
        known.set(id, await this.#call(node, id, account));
      } catch {
        this.#count("refused");
      }
      this.#count("calls");
      const tookMs = performance.now() - begin;
      for (const counts of [this.total, this.#recent]) {
        counts.slowestMs = Math.max(counts.slowestMs, tookMs);
      }
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  }

  /** Mostly reads; of the rest most are updates. @returns what the account is afterwards */
  async #call(node: MigrationNode, id: string, account: Account | null): Promise<Account | null> {
    const chance = this.#random.int(1, 100);
    if (chance <= 60) {
      const read = await node.get(id);
      this.#count("reads");
      if (read.servedFrom === "modern") this.#count("fromModern");
      if (!isDeepStrictEqual(read.account, account)) this.#count("wrong");
      return account;
    }
    if (!account) {
      const fresh = {
        id,
        email: `${id.toLowerCase()}@example.org`,
        balanceCents: 0,
        closedOn: null,
      };
      await node.create(fresh);
      return fresh;
    }
    if (chance > 95) {
      await node.remove(id);
      return null;
    }
    const change = { balanceCents: this.#random.int(-100_000, 100_000) };
    await node.update(id, change);
    return { ...account, ...change };
  }

  #count(what: Exclude<keyof Counts, "slowestMs">): void {
    this.#recent[what] += 1;
    this.total[what] += 1;
  }
}
