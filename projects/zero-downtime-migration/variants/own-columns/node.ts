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
import { type Entry, type Helm, type Outcome, Store } from "./store.ts";

const BATCH = 200;
const REST_MS = 150;
/** How long whoever wrote stays to carry it over, in milliseconds. */
const MOMENT_MS = 30;
const WRITTEN = "rev > 0 AND there < rev";
const UNCOPIED = "rev = 0 AND there < 0";

function refusal(code: MigrationErrorCode, message: string): Error {
  return Object.assign(new Error(message), { code });
}

async function carry(from: Store, to: Store, which = WRITTEN, limit = BATCH): Promise<number> {
  const entries = await from.entries(which, limit);
  if (entries.length === 0) return 0;
  await to.takeOver(entries);
  await from.markThere(entries);
  return entries.length;
}

export class Node implements MigrationNode {
  readonly #budgetMs: number;
  readonly #legacy: Store;
  readonly #modern: Store;
  readonly #closed = new AbortController();
  readonly #background: Promise<void>;
  readonly #shadow = { compared: 0, mismatches: new Set<string>() };
  #leader: Store;

  constructor({ legacy, modern, requestBudgetMs }: NodeConfig) {
    this.#budgetMs = requestBudgetMs;
    this.#legacy = new Store("legacy", legacy, requestBudgetMs);
    this.#modern = new Store("modern", modern, requestBudgetMs);
    this.#leader = this.#legacy;
    this.#background = this.#carryForEver();
  }

  async create(input: Account): Promise<void> {
    const account = { ...input, email: input.email.trim().toLowerCase() };
    await this.#write(account.id, (before) => (before ? "there" : account));
  }

  async update(id: string, { email, ...rest }: Partial<Omit<Account, "id">>): Promise<void> {
    const change = email === undefined ? rest : { ...rest, email: email.trim().toLowerCase() };
    await this.#write(id, (before) => (before ? { ...before, ...change } : "absent"));
  }

  async remove(id: string): Promise<void> {
    await this.#write(id, (before) => (before ? null : "absent"));
  }

  async get(id: string): Promise<Read> {
    return (await this.getMany([id]))[0] as Read;
  }

  async getMany(ids: readonly string[]): Promise<Read[]> {
    if (ids.length === 0) return [];
    return this.#leading(async (store) => {
      const { leads, phase, entries } = await store.read(ids);
      if (!leads) return undefined;
      return store === this.#modern ? entries.map(from("modern")) : this.#mixed(phase, entries);
    });
  }

  async setPhase(phase: Phase): Promise<void> {
    const end = performance.now() + 3_000;
    for (;;) {
      try {
        return await this.#goTo(phase);
      } catch (error) {
        if (performance.now() > end || (error as { code?: string }).code === "NOT_READY") {
          throw refusal("NOT_READY", `${phase} has to wait: ${error}`);
        }
        await wait(50);
      }
    }
  }

  backfill(limit: number): Promise<{ done: boolean }> {
    return reached(async () => {
      const [leader, follower] = await this.#roles();
      const copied = await carry(leader, follower, UNCOPIED, limit);
      if (copied > 0) return { done: false };
      await carry(leader, follower);
      return { done: (await leader.count(WRITTEN)) === 0 };
    });
  }

  verify({ repair }: { readonly repair: boolean }): Promise<Comparison> {
    return reached(() => this.#compareAll(repair));
  }

  async #compareAll(repair: boolean): Promise<Comparison> {
    const [leader, follower] = await this.#roles();
    const lead = await leader.entries("true");
    const follow = new Map((await follower.entries("true")).map((entry) => [entry.id, entry]));
    const ids = new Set([...lead.map(({ id }) => id), ...follow.keys()]);
    const leading = new Map(lead.map((entry) => [entry.id, entry]));
    const wrong = [...ids].filter((id) => isWrong(leading.get(id), follow.get(id)));
    const lists = { missing: [] as string[], surplus: [] as string[], differing: [] as string[] };
    for (const id of wrong) {
      const [has, should] = [follow.get(id)?.account, leading.get(id)?.account];
      lists[has ? (should ? "differing" : "surplus") : "missing"].push(id);
    }
    if (repair && wrong.length > 0) {
      await leader.again(wrong.map((id) => ({ id, rev: follow.get(id)?.rev ?? 0 })));
      while ((await carry(leader, follower)) > 0);
    }
    return { compared: ids.size, ...lists };
  }

  async status() {
    const [leader, , { phase }] = await this.#roles();
    const { compared, mismatches } = this.#shadow;
    const pending = await leader.count(WRITTEN);
    return { phase, pending, shadow: { compared, mismatches: [...mismatches] } };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    const end = async () => {
      await this.#background;
      await Promise.all([this.#legacy.pool.end(), this.#modern.pool.end()]);
    };
    await Promise.race([end(), wait(this.#budgetMs * 0.9, undefined, { ref: false })]);
  }

  async #write(id: string, change: Parameters<Store["write"]>[1]): Promise<void> {
    const outcome = await this.#leading(async (store) => {
      const done = await store.write(id, change);
      return done === "moved" ? undefined : done;
    });
    const refusals: Partial<Record<Outcome, MigrationErrorCode>> = {
      there: "ALREADY_EXISTS",
      absent: "NOT_FOUND",
    };
    const code = refusals[outcome];
    if (code) throw refusal(code, `${id}: ${outcome}`);
    const carried = this.#carryOnce().catch(() => 0);
    await Promise.race([carried, wait(MOMENT_MS, undefined, { ref: false })]);
  }

  async #leading<T>(ask: (store: Store) => Promise<T | undefined>): Promise<T> {
    const end = performance.now() + this.#budgetMs * 0.9;
    while (performance.now() < end) {
      const store = this.#leader;
      try {
        const answer = await ask(store);
        if (answer !== undefined) return answer;
      } catch (error) {
        const other = await this.#other(store)
          .helm()
          .catch(() => undefined);
        if (!other?.leads) throw refusal("STORE_UNAVAILABLE", `${store.name}: ${error}`);
      }
      this.#leader = this.#other(store);
      await wait(5);
    }
    throw refusal("STORE_UNAVAILABLE", "no store leads");
  }

  async #mixed(phase: Phase, entries: readonly Entry[]): Promise<Read[]> {
    const share = phase.startsWith("canary-") ? Number(phase.slice(7)) : 0;
    const canary = entries.filter((entry) => {
      const place = createHash("sha1").update(entry.id).digest().readUInt32LE(0) % 10_000;
      return place < share * 100 && entry.rev >= 0 && entry.there >= entry.rev;
    });
    const theirs = new Map<string, Read>();
    if (canary.length > 0) {
      const read = this.#modern.read(canary.map(({ id }) => id)).catch(() => undefined);
      const late = wait(this.#budgetMs / 4, undefined, { ref: false });
      const answer = (await Promise.race([read, late])) ?? { entries: [] };
      for (const entry of answer.entries) theirs.set(entry.id, from("modern")(entry));
    }
    if (phase === "shadow" || share > 0) void this.#compare(entries).catch(() => {});
    return entries.map((entry) => theirs.get(entry.id) ?? from("legacy")(entry));
  }

  async #compare(entries: readonly Entry[]): Promise<void> {
    const { entries: theirs } = await this.#modern.read(entries.map(({ id }) => id));
    for (const [at, entry] of entries.entries()) {
      this.#shadow.compared += 1;
      if (isWrong(entry, theirs[at])) this.#shadow.mismatches.add(entry.id);
    }
  }

  async #roles(): Promise<[leader: Store, follower: Store, helm: Helm]> {
    const legacy = await this.#legacy.helm().catch(() => undefined);
    if (legacy?.leads) return [this.#legacy, this.#modern, legacy];
    const modern = await this.#modern.helm();
    if (!modern.leads && legacy) {
      const [heir, will] =
        legacy.turn > modern.turn ? [this.#modern, legacy] : [this.#legacy, modern];
      await inherit(heir, will);
      return this.#roles();
    }
    return [this.#modern, this.#legacy, modern];
  }

  async #goTo(phase: Phase): Promise<void> {
    const [leader, follower, helm] = await this.#roles();
    if (helm.phase === phase) return;
    if (leader === this.#legacy && phase !== "modern") {
      const { rowCount } = await leader.pool.query("UPDATE helm SET phase = $1 WHERE leads", [
        phase,
      ]);
      if (rowCount === 0) throw new Error(`${leader.name} gave the helm to somebody else`);
      return;
    }
    if ((await leader.count(UNCOPIED)) > 0) throw refusal("NOT_READY", "rows are left to copy");
    await follower.helm();
    while ((await carry(leader, follower)) === BATCH);
    const will = await leader.transaction(async (client) => {
      await client.query(`SET LOCAL lock_timeout = ${Math.round(this.#budgetMs / 4)}`);
      await client.query("SELECT FROM helm FOR UPDATE");
      const end = performance.now() + this.#budgetMs / 4;
      while ((await leader.count(WRITTEN)) > 0) {
        if (performance.now() > end) throw new Error(`${follower.name} is too slow`);
        await carry(leader, follower);
      }
      const { rows } = await client.query<Helm>(
        `UPDATE helm SET leads = false, phase = $1, turn = turn + 1 WHERE leads
         RETURNING leads, phase, turn::int`,
        [phase],
      );
      if (!rows[0]) throw new Error(`${leader.name} gave the helm to somebody else`);
      return rows[0];
    });
    await inherit(follower, will);
  }

  async #carryOnce(): Promise<number> {
    const [leader, follower, { phase }] = await this.#roles();
    return phase === "legacy" ? 0 : carry(leader, follower);
  }

  async #carryForEver(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const carried = await this.#carryOnce().catch(() => 0);
      if (carried < BATCH) await wait(REST_MS, undefined, { signal }).catch(() => {});
    }
  }

  #other(store: Store): Store {
    return store === this.#legacy ? this.#modern : this.#legacy;
  }
}

/** Whatever goes wrong on the way to a store: the call may be repeated. */
async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusal("STORE_UNAVAILABLE", String(error));
  }
}

function from(servedFrom: Read["servedFrom"]) {
  return ({ account }: Entry): Read => ({ account, servedFrom });
}

async function inherit(store: Store, { phase, turn }: Helm): Promise<void> {
  const text = "UPDATE helm SET leads = true, phase = $1, turn = $2 WHERE turn < $2";
  await store.pool.query(text, [phase, turn]);
}

/** Whether what follows is wrong, and not only late or newer than what was read of what leads. */
function isWrong(lead: Entry | undefined, follower: Entry | undefined): boolean {
  const { rev = -1, there = -1, account = null } = lead ?? {};
  if ((rev > 0 && there < rev) || (follower?.rev ?? -1) > Math.max(rev, 0)) return false;
  return !isDeepStrictEqual(account, follower?.account ?? null);
}
