import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type {
  Account,
  Comparison,
  MigrationErrorCode,
  MigrationNode,
  NodeConfig,
  Phase,
  Read,
} from "../../contract.ts";
import { LOCK } from "./schema.ts";
import { type Entry, Store, type Turn } from "./store.ts";

const REST_MS = 100;
const BATCH = 100;

class Refused extends Error {
  readonly code: MigrationErrorCode;
  constructor(code: MigrationErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

async function carry(from: Store, to: Store): Promise<number> {
  const entries = await from.unsent(BATCH);
  if (entries.length === 0) return 0;
  await to.takeOver(entries);
  await from.markSent(entries);
  return entries.length;
}

function clean<T extends Partial<Account>>(input: T): T {
  return input.email === undefined ? input : { ...input, email: input.email.trim().toLowerCase() };
}

export class Node implements MigrationNode {
  readonly #budgetMs: number;
  readonly #legacy: Store;
  readonly #modern: Store;
  readonly #closing = new AbortController();
  readonly #carrying: Promise<void>;
  readonly #mismatches = new Set<string>();
  #compared = 0;
  #comparing = 0;
  #guess: Store;

  constructor({ legacy, modern, requestBudgetMs }: NodeConfig) {
    this.#budgetMs = requestBudgetMs;
    this.#legacy = new Store("legacy", legacy, requestBudgetMs);
    this.#modern = new Store("modern", modern, requestBudgetMs);
    this.#guess = this.#legacy;
    this.#carrying = this.#carryOn();
  }

  create = (account: Account) => this.#write("create", clean(account));
  update = (id: string, change: Partial<Omit<Account, "id">>) =>
    this.#write("update", { ...clean(change), id });
  remove = (id: string) => this.#write("remove", { id });
  get = async (id: string) => (await this.getMany([id]))[0] as Read;

  getMany(ids: readonly string[]): Promise<Read[]> {
    return this.#ask(async (store) => {
      const { leads, phase, entries } = await store.read(ids);
      if (!leads) return undefined;
      if (store === this.#modern) return entries.map(({ account }) => served("modern", account));
      return this.#fromEither(phase, entries);
    });
  }

  async setPhase(phase: Phase): Promise<void> {
    const end = performance.now() + 3_000;
    try {
      const [lead, other, turn] = await this.#roles();
      if (turn.phase === phase) return;
      if (lead === this.#legacy && phase !== "modern") {
        const set = "UPDATE turn SET phase = $1 WHERE leads";
        const { rowCount } = await lead.pool.query(set, [phase]);
        if (rowCount === 0) throw new Error("it is somebody else's turn by now");
        return;
      }
      if (await lead.hasOld()) throw new Refused("NOT_READY", "Rows are left to copy.");
      while ((await carry(lead, other)) > 0 && performance.now() < end);
      await this.#handOver(lead, other, phase);
    } catch (cause) {
      throw new Refused("NOT_READY", `Not now: ${String(cause)}`, cause);
    }
  }

  backfill(limit: number) {
    return reached(async () => {
      const [lead, other] = await this.#roles();
      const noted = await lead.noteOld(limit);
      await carry(lead, other);
      return { done: noted < limit && (await lead.countUnsent()) === 0 };
    });
  }

  verify({ repair }: { readonly repair: boolean }): Promise<Comparison> {
    return reached(() => this.#compareAll(repair));
  }

  async #compareAll(repair: boolean): Promise<Comparison> {
    const [lead, other] = await this.#roles();
    const wanted = await lead.all();
    const found = await other.all();
    const report = { missing: [] as string[], surplus: [] as string[], differing: [] as string[] };
    const wrong: Pick<Entry, "id" | "made">[] = [];
    for (const id of new Set([...wanted.keys(), ...found.keys()])) {
      const [a, b] = [wanted.get(id), found.get(id)];
      if (isRight(a, b)) continue;
      report[!b?.account ? "missing" : a?.account ? "differing" : "surplus"].push(id);
      wrong.push({ id, made: b?.made ?? 0 });
    }
    if (repair) {
      await lead.noteAgain(wrong);
      while ((await carry(lead, other)) > 0);
    }
    return { compared: wanted.size, ...report };
  }

  async status() {
    const [lead, , { phase }] = await this.#roles();
    const shadow = { compared: this.#compared, mismatches: [...this.#mismatches] };
    return { phase, pending: await lead.countUnsent(), shadow };
  }

  async close() {
    this.#closing.abort();
    await this.#carrying;
    const ended = Promise.all([this.#legacy.pool.end(), this.#modern.pool.end()]);
    await Promise.race([ended, wait(this.#budgetMs / 2, undefined, { ref: false })]);
  }

  async #write(kind: string, input: object): Promise<void> {
    const answer = await this.#ask((store) => store.write(kind, input));
    if (answer === "there") throw new Refused("ALREADY_EXISTS", "There is such an account.");
    if (answer === "absent") throw new Refused("NOT_FOUND", "There is no such account.");
  }

  /** Asks who leads, as far as is known, and the other one where that has changed. */
  async #ask<T>(question: (store: Store) => Promise<T | undefined>): Promise<T> {
    const end = performance.now() + this.#budgetMs * 0.9;
    for (;;) {
      const store = this.#guess;
      try {
        const answer = await question(store);
        if (answer !== undefined) return answer;
      } catch (cause) {
        const other = this.#other(store);
        const turn = await other.turn().catch(() => undefined);
        // Whether the write happened is unknown, unless this store doesn't lead at all.
        if (!turn?.leads) throw new Refused("STORE_UNAVAILABLE", `${store.name}: ${cause}`, cause);
      }
      if (performance.now() > end) throw new Refused("STORE_UNAVAILABLE", "Nobody leads.");
      this.#guess = this.#other(store);
      await wait(5);
    }
  }

  async #fromEither(phase: Phase, entries: readonly Entry[]): Promise<Read[]> {
    const percent = Number(/canary-(\d+)/.exec(phase)?.[1] ?? 0);
    const asked = entries.filter(
      ({ id, made, sent }) => made > 0 && sent >= made && place(id) < percent,
    );
    const patience = this.#budgetMs / 4;
    const answer =
      asked.length > 0 &&
      (await Promise.race([
        this.#modern.read(asked.map(({ id }) => id)).catch(() => undefined),
        wait(patience, undefined, { ref: false }),
      ]));
    const theirs = new Map((answer || { entries: [] }).entries.map((entry) => [entry.id, entry]));
    if (phase === "shadow" || percent > 0) {
      this.#compare(entries.filter(({ id }) => !theirs.has(id))).catch(() => {});
    }
    return entries.map((entry) => {
      const other = theirs.get(entry.id);
      return other ? served("modern", other.account) : served("legacy", entry.account);
    });
  }

  async #compare(answered: readonly Entry[]): Promise<void> {
    if (this.#comparing > 2) return;
    this.#comparing += 1;
    try {
      const { entries } = await this.#modern.read(answered.map(({ id }) => id));
      for (const [at, entry] of answered.entries()) {
        this.#compared += 1;
        if (!isRight(entry, entries[at])) this.#mismatches.add(entry.id);
      }
    } finally {
      this.#comparing -= 1;
    }
  }

  async #roles(): Promise<[lead: Store, other: Store, turn: Turn]> {
    const legacy = await this.#legacy.turn().catch(() => undefined);
    if (legacy?.leads) return [this.#legacy, this.#modern, legacy];
    const modern = await this.#modern.turn();
    if (modern.leads || !legacy) return [this.#modern, this.#legacy, modern];
    // Somebody handed over and died: the store with the higher number was the last to give it away.
    const heir = legacy.number > modern.number ? this.#modern : this.#legacy;
    await accept(heir, legacy.number > modern.number ? legacy : modern);
    return this.#roles();
  }

  async #handOver(lead: Store, other: Store, phase: Phase): Promise<void> {
    await other.turn();
    const client = await lead.pool.connect();
    client.on("error", () => {});
    let given: Turn;
    try {
      await client.query("BEGIN");
      await client.query(`SET LOCAL lock_timeout = ${Math.round(this.#budgetMs / 4)}`);
      await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
      const end = performance.now() + this.#budgetMs / 4;
      while ((await lead.countUnsent()) > 0) {
        if (performance.now() > end) throw new Error("too much is on its way");
        await carry(lead, other);
      }
      const { rows } = await client.query(
        `UPDATE turn SET leads = false, phase = $1, number = number + 1 WHERE leads
         RETURNING leads, phase, number::int`,
        [phase],
      );
      if (!rows[0]) throw new Error("it is somebody else's turn by now");
      given = rows[0];
      await client.query("COMMIT");
      client.release();
    } catch (error) {
      client.release(error as Error);
      throw error;
    }
    await accept(other, given);
  }

  async #carryOn(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const carried = await this.#roles()
        .then(([lead, other, { phase }]) => (phase === "legacy" ? 0 : carry(lead, other)))
        .catch(() => 0);
      if (carried < BATCH) await wait(REST_MS, undefined, { signal }).catch(() => {});
    }
  }

  #other(store: Store): Store {
    return store === this.#legacy ? this.#modern : this.#legacy;
  }
}

async function accept(store: Store, { phase, number }: Turn): Promise<void> {
  const text = "UPDATE turn SET leads = true, phase = $1, number = $2 WHERE number < $2";
  await store.pool.query(text, [phase, number]);
}

/** Whatever goes wrong on the way to a store: the call may be repeated. */
async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Refused("STORE_UNAVAILABLE", String(cause), cause);
  }
}

const served = (servedFrom: Read["servedFrom"], account: Account | null): Read => ({
  account,
  servedFrom,
});

function place(id: string): number {
  return createHash("md5").update(id).digest().readUInt16BE(0) / 655.36;
}

/** Right, or on its way, or newer than what was read of the store that leads. */
function isRight(lead: Entry | undefined, other: Entry | undefined): boolean {
  const { made = 0, sent = 0, account = null } = lead ?? {};
  if (sent < made || (other?.made ?? 0) > made) return true;
  return isDeepStrictEqual(account, other?.account ?? null);
}
