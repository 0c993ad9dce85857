import { createHash, randomUUID } from "node:crypto";
import type {
  Account,
  Comparison,
  MigrationNode,
  NodeConfig,
  Phase,
  Read,
  Status,
  StoreName,
} from "../../contract.ts";
import { MigrationError } from "./errors.ts";
import { type Columns, columns, meant, same } from "./rows.ts";
import { sql } from "./sql.ts";
import { NoAnswer, Store, sleep } from "./stores.ts";

interface State {
  me: StoreName;
  owner: StoreName;
  phase: Phase;
  epoch: number;
  attempt: number;
}
interface Row extends Columns {
  state: State;
  id: string;
  there: boolean;
  version: string;
  noted: boolean;
  copied_in: number;
  op: string | null;
}

const phases: readonly Phase[] = [
  "legacy",
  "copying",
  "shadow",
  "canary-5",
  "canary-25",
  "canary-50",
  "canary-100",
  "modern",
];
const other = (s: StoreName): StoreName => (s === "legacy" ? "modern" : "legacy");
const ownerIn = (p: Phase): StoreName => (p === "modern" ? "modern" : "legacy");
const share = (p: Phase) => (p.startsWith("canary-") ? Number(p.slice(7)) : 0);
const bucket = (id: string) => createHash("md5").update(id).digest().readUInt32BE(0) % 100;
const account = (store: StoreName, row: Row | undefined) =>
  row?.there ? meant(store, row.id, row) : null;
/** The store that was asked has not the last word. */
class Moved extends Error {}

export class Node implements MigrationNode {
  readonly #budget: number;
  readonly #stores: Record<StoreName, Store>;
  #known: State | undefined;
  #closed = false;
  #wake: () => void = () => {};
  #modernAwayUntil = 0;
  #comparing = 0;
  #compared = 0;
  readonly #mismatches = new Set<string>();

  constructor(config: NodeConfig) {
    this.#budget = config.requestBudgetMs;
    this.#stores = {
      legacy: new Store("legacy", config.legacy, config.requestBudgetMs),
      modern: new Store("modern", config.modern, config.requestBudgetMs),
    };
  }

  async start(): Promise<void> {
    const until = Date.now() + 2600;
    const found = new Promise<void>((resolve) => {
      for (const name of ["legacy", "modern"] as const) {
        void (async () => {
          while (Date.now() < until && !this.#closed) {
            const state = await this.#look(name, Math.min(1200, until - Date.now()));
            if (state?.owner === name) return resolve();
            // It says that the other one has it: that one may not know yet.
            await sleep(100);
          }
        })();
      }
    });
    await Promise.race([found, sleep(2650)]);
    if (this.#known === undefined)
      throw new MigrationError("STORE_UNAVAILABLE", "no store says who has the last word");
    void this.#carryLoop();
    void this.#watchLoop();
  }

  // ---------------------------------------------------------------- who has the last word

  #learn(state: State) {
    if (this.#known === undefined || state.epoch > this.#known.epoch) this.#known = state;
  }

  async #look(name: StoreName, ms: number): Promise<State | undefined> {
    try {
      const [row] = await this.#stores[name].ask<{ state: State }>("background", sql.state, [], ms);
      if (row !== undefined) this.#learn(row.state);
      return row?.state;
    } catch {
      return undefined;
    }
  }

  /** Says if `state`, which this store has just said, makes it the one with the last word. */
  async #mine(state: State, ms: number): Promise<boolean> {
    this.#learn(state);
    if (state.owner === state.me) return true;
    const known = this.#known as State;
    if (known.owner === state.me && known.epoch > state.epoch)
      await this.#tell(state.me, known, ms);
    return false;
  }

  async #tell(name: StoreName, s: State, ms: number): Promise<void> {
    const [row] = await this.#stores[name].ask<{ state: State }>(
      "background",
      sql.learn,
      [s.epoch, s.phase, s.owner, s.attempt],
      ms,
    );
    if (row !== undefined) this.#learn(row.state);
  }

  /** Does it where the last word is, also if that changes meanwhile. `work` throws Moved. */
  async #decided<T>(total: number, work: (name: StoreName, ms: number) => Promise<T>): Promise<T> {
    const until = Date.now() + total;
    const left = () => until - Date.now();
    let why: unknown;
    while (left() > 20) {
      const name = this.#known?.owner ?? "legacy";
      const attempt = work(name, left()).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      let out = await Promise.race([attempt, sleep(total * 0.25).then(() => null)]);
      if (out === null) {
        const asked = this.#look(other(name), left());
        out = await Promise.race([
          attempt,
          asked.then(() => (this.#known?.owner === name ? attempt : { error: new Moved() })),
        ]);
      }
      if ("value" in out) return out.value;
      if (out.error instanceof Moved) continue;
      if (!(out.error instanceof NoAnswer)) throw out.error;
      why = out.error;
      await Promise.race([this.#look(other(name), left()), this.#look(name, left()), sleep(200)]);
      if (this.#known?.owner !== name) continue;
      if (out.error.timedOut) break;
      if (left() < total * 0.3) break;
      await sleep(50);
    }
    throw new MigrationError("STORE_UNAVAILABLE", `no answer from ${this.#known?.owner}`, {
      cause: why,
    });
  }

  get #clientMs() {
    return this.#budget * 0.8;
  }

  // ---------------------------------------------------------------- clients

  async #write(
    kind: "create" | "update" | "remove",
    id: string,
    change: Partial<Account>,
  ): Promise<void> {
    const op = randomUUID();
    const r = await this.#decided(this.#clientMs, async (name, ms) => {
      const until = Date.now() + ms;
      const [row] = await this.#stores[name].ask<{ w: { r: string; state: State } }>(
        "client",
        sql.write,
        [op, kind, id, JSON.stringify(columns(name, change))],
        ms,
      );
      const w = (row as { w: { r: string; state: State } }).w;
      if (!(await this.#mine(w.state, until - Date.now()))) throw new Moved();
      return w.r;
    });
    if (r === "ALREADY_EXISTS" || r === "NOT_FOUND")
      throw new MigrationError(r, `account ${id}: ${r}`);
    this.#wake();
  }

  create(a: Account): Promise<void> {
    return this.#write("create", a.id, {
      email: a.email,
      balanceCents: a.balanceCents,
      closedOn: a.closedOn,
    });
  }

  update(id: string, change: Partial<Omit<Account, "id">>): Promise<void> {
    return this.#write("update", id, change);
  }

  remove(id: string): Promise<void> {
    return this.#write("remove", id, {});
  }

  async get(id: string): Promise<Read> {
    const [read] = await this.getMany([id]);
    return read as Read;
  }

  async getMany(ids: readonly string[]): Promise<readonly Read[]> {
    if (ids.length === 0) return [];
    const end = Date.now() + this.#clientMs;
    const { name, rows } = await this.#decided(this.#clientMs, async (name, ms) => {
      const until = Date.now() + ms;
      const rows = await this.#rows(name, ids, ms, "client");
      if (!(await this.#mine((rows[0] as Row).state, until - Date.now()))) throw new Moved();
      return { name, rows };
    });
    const { phase } = (rows[0] as Row).state;
    const fromModern = new Map<string, Row>();
    const shared =
      name === "legacy" && share(phase) > 0 ? rows.filter((r) => bucket(r.id) < share(phase)) : [];
    if (shared.length > 0 && Date.now() > this.#modernAwayUntil) {
      const ms = Math.min(400, this.#budget * 0.15, end - Date.now());
      try {
        for (const m of await this.#rows(
          "modern",
          [...new Set(shared.map((r) => r.id))],
          ms,
          "client",
        ))
          fromModern.set(m.id, m);
      } catch {
        this.#modernAwayUntil = Date.now() + 300;
      }
    }
    if (name === "legacy" && phase === "shadow")
      for (const row of rows) void this.#compareLater(row);
    return rows.map((row) => {
      const m = fromModern.get(row.id);
      // Older than what legacy has: still on its way.
      if (m !== undefined && BigInt(m.version) >= BigInt(row.version))
        return { account: account("modern", m), servedFrom: "modern" };
      return { account: account(name, row), servedFrom: name };
    });
  }

  #rows(
    name: StoreName,
    ids: readonly string[],
    ms: number,
    kind: "client" | "background",
  ): Promise<Row[]> {
    return this.#stores[name].ask<Row>(kind, sql.read(name), [ids], ms);
  }

  /** Nobody waits for it. Rows of one version have to say one thing. */
  async #compareLater(row: Row): Promise<void> {
    if (this.#comparing >= 200) return;
    this.#comparing++;
    try {
      let mine: Row | undefined = row;
      for (let i = 0; i < 12 && !this.#closed && mine?.state.phase === "shadow"; i++) {
        try {
          const [theirs] = await this.#rows("modern", [row.id], 1000, "background");
          const onItsWay =
            mine.noted || (mine.copied_in < mine.state.attempt && mine.version !== "0");
          if (!onItsWay && theirs !== undefined && BigInt(theirs.version) <= BigInt(mine.version)) {
            this.#compared++;
            if (!same(account("legacy", mine), account("modern", theirs)))
              this.#mismatches.add(row.id);
            return;
          }
        } catch {}
        await sleep(100 + 50 * i);
        mine = (
          await this.#rows("legacy", [row.id], 1000, "background").catch(() => [mine as Row])
        )[0];
      }
    } finally {
      this.#comparing--;
    }
  }

  // ---------------------------------------------------------------- carrying over

  /** Brings rows, as they are in `from`, to the other store. Says how many arrived. */
  async #bring(rows: readonly Row[], ms: number): Promise<Row[]> {
    const s = (rows[0] as Row).state;
    const to = other(s.me);
    const good: Row[] = [];
    const said: unknown[] = [];
    for (const row of rows) {
      try {
        const a = account(s.me, row);
        said.push({
          id: row.id,
          version: row.version,
          there: a !== null,
          op: row.op,
          ...(a === null ? {} : columns(to, a)),
        });
        good.push(row);
      } catch (e) {
        console.error(`not carried: ${(e as Error).message}`);
      }
    }
    const [r] = await this.#stores[to].ask<{ ok: boolean }>(
      "background",
      sql.apply,
      [JSON.stringify(said), s.attempt],
      ms,
    );
    if (r?.ok !== true) throw new Moved();
    return good;
  }

  #arrived(good: readonly Row[]): unknown[] {
    return [good.map((r) => r.id), good.map((r) => r.version), good[0]?.state.attempt ?? 0];
  }

  async #carry(most: number, ms: number): Promise<number> {
    const name = this.#known?.owner ?? "legacy";
    const from = this.#stores[name];
    const until = Date.now() + ms;
    const rows = await from.ask<Row>("background", sql.noted(name), [most], until - Date.now());
    const state = (rows[0] as Row).state;
    if (!(await this.#mine(state, until - Date.now()))) return 0;
    const noted = rows.filter((r) => r.id !== null);
    if (noted.length === 0) return 0;
    const good = await this.#bring(noted, until - Date.now());
    await from.ask("background", sql.arrived, this.#arrived(good), until - Date.now());
    return good.length;
  }

  async #carryLoop(): Promise<void> {
    while (!this.#closed) {
      const woken = new Promise<void>((done) => {
        this.#wake = done;
      });
      try {
        if ((await this.#carry(200, 1500)) === 200) continue;
        await Promise.race([woken, sleep(100)]);
      } catch {
        await sleep(150);
      }
    }
  }

  async #watchLoop(): Promise<void> {
    for (let i = 1; !this.#closed; i++) {
      await Promise.all([this.#look("legacy", 1000), this.#look("modern", 1000)]);
      if (i % 400 === 0) {
        for (const s of Object.values(this.#stores))
          await s.ask("background", sql.prune, [], 2000).catch(() => {});
      }
      await sleep(250);
    }
  }

  // ---------------------------------------------------------------- the operator

  /** What the one with the last word says about itself. */
  async #current(total: number): Promise<State & { pending: number }> {
    return this.#decided(total, async (name, ms) => {
      const until = Date.now() + ms;
      const [row] = await this.#stores[name].ask<{ state: State; pending: number }>(
        "client",
        sql.status,
        [],
        ms,
      );
      const { state, pending } = row as { state: State; pending: number };
      if (!(await this.#mine(state, until - Date.now()))) throw new Moved();
      return { ...state, pending };
    });
  }

  async setPhase(phase: Phase): Promise<void> {
    const until = Date.now() + 7000;
    const before = await this.#current(3000);
    const [is, to] = [phases.indexOf(before.phase), phases.indexOf(phase)];
    if (to === is) return;
    if (to < 0 || to > is + 1)
      throw new MigrationError("NOT_READY", `${phase} does not come after ${before.phase}`);
    if (ownerIn(phase) === before.owner) await this.#stay(before, phase, until);
    else await this.#handOver(before, phase, until);
  }

  async #stay(before: State, phase: Phase, until: number): Promise<void> {
    const store = this.#stores[before.owner];
    let why: unknown;
    while (Date.now() < until - 1500) {
      try {
        const [row] = await store.ask<{ state: State }>(
          "background",
          sql.setPhase,
          [before.epoch, phase],
          Math.min(2500, until - 1500 - Date.now()),
        );
        const s = (row as { state: State }).state;
        this.#learn(s);
        if (s.phase === phase) return;
        throw new MigrationError("NOT_READY", `somebody else made it ${s.phase}`);
      } catch (e) {
        if (!(e instanceof NoAnswer)) throw e;
        why = e;
        if (e.timedOut) break;
        await sleep(60);
      }
    }
    const now = await this.#fence(before, until);
    if (now.phase === phase) return;
    throw new MigrationError("NOT_READY", "writes in progress did not end in time", { cause: why });
  }

  /** After it, nothing that was sent at this epoch can still change the phase. */
  async #fence(before: State, until: number): Promise<State> {
    let why: unknown;
    while (Date.now() < until) {
      try {
        const [row] = await this.#stores[before.owner].ask<{ state: State }>(
          "background",
          sql.setPhase,
          [before.epoch, before.phase],
          Math.min(1000, until - Date.now()),
        );
        const s = (row as { state: State }).state;
        this.#learn(s);
        return s;
      } catch (e) {
        why = e;
        await sleep(60);
      }
    }
    throw new MigrationError(
      "STORE_UNAVAILABLE",
      `no answer from ${before.owner}; the phase may have changed`,
      { cause: why },
    );
  }

  async #handOver(before: State, phase: Phase, until: number): Promise<void> {
    const from = this.#stores[before.owner];
    const to = other(before.owner);
    const hold = Math.min(1500, this.#budget * 0.4);
    let handed: State | undefined;
    let why = "";
    let last: unknown;
    while (handed === undefined && Date.now() < until - 2500) {
      try {
        // Most of it while clients go on.
        while (Date.now() < until - 3500 && (await this.#carry(200, 1200)) > 20);
        handed = await from.transaction(hold, async (tx) => {
          const t = Date.now() + hold;
          await tx.ask(sql.lock);
          for (;;) {
            const rows = await tx.ask<Row>(sql.noted(before.owner), [500]);
            const { state } = rows[0] as Row;
            if (state.epoch !== before.epoch)
              throw new MigrationError("NOT_READY", `somebody else made it ${state.phase}`);
            const noted = rows.filter((r) => r.id !== null);
            if (noted.length === 0) break;
            const good = await this.#bring(noted, t - Date.now());
            if (good.length < noted.length)
              throw new MigrationError("NOT_READY", "there are rows that can't be read");
            await tx.ask(sql.arrived, this.#arrived(good));
          }
          const [l] = await tx.ask<{ uncopied: boolean }>(sql.left);
          if (to === "modern" && l?.uncopied)
            throw new MigrationError("NOT_READY", "not all rows are copied");
          // Is it there, and doesn't it think otherwise?
          const [there] = await this.#stores[to].ask<{ state: State }>(
            "background",
            sql.state,
            [],
            t - Date.now(),
          );
          if (there === undefined || there.state.epoch > before.epoch)
            throw new MigrationError("NOT_READY", `${to} knows a later phase`);
          const [done] = await tx.ask<{ state: State }>(sql.handOver, [before.epoch, to, phase]);
          return (done as { state: State }).state;
        });
      } catch (e) {
        if (e instanceof MigrationError) throw e;
        if (!(e instanceof NoAnswer) && !(e instanceof Moved)) throw e;
        last = e;
        why = e.message;
        if (e instanceof NoAnswer && e.timedOut) {
          const now = await this.#fence(before, until);
          if (now.owner !== before.owner) handed = now;
          else if (now.phase === before.phase) before = now;
          else throw new MigrationError("NOT_READY", `somebody else made it ${now.phase}`);
        } else await sleep(60);
      }
    }
    if (handed === undefined) {
      const now = await this.#fence(before, until - 500);
      if (now.owner === before.owner)
        throw new MigrationError("NOT_READY", `not everything could be brought to ${to}: ${why}`, {
          cause: last,
        });
      handed = now;
    }
    this.#learn(handed);
    // It is decided. Whoever comes first tells the other store, we at the latest.
    while (Date.now() < until + 500) {
      try {
        await this.#tell(to, handed, 1000);
        return;
      } catch {
        await sleep(50);
      }
    }
  }

  async backfill(limit: number): Promise<{ readonly done: boolean }> {
    const until = Date.now() + 6500;
    const now = await this.#current(3000);
    if (now.phase === "modern") return { done: true };
    if (now.phase === "legacy")
      throw new MigrationError("NOT_READY", "nothing is copied before the phase is copying");
    const legacy = this.#stores.legacy;
    const ms = () => Math.min(3000, until - Date.now());
    try {
      const claimed = await legacy.ask<{ id: string }>("background", sql.claim, [limit], ms());
      if (claimed.length > 0) {
        const rows = await this.#rows(
          "legacy",
          claimed.map((r) => r.id),
          ms(),
          "background",
        );
        const good = await this.#bring(rows, ms());
        await legacy.ask("background", sql.arrived, this.#arrived(good), ms());
      }
      const [left] = await legacy.ask<{ uncopied: boolean }>("background", sql.left, [], ms());
      return { done: left?.uncopied === false };
    } catch (e) {
      if (e instanceof Moved) return { done: false };
      if (e instanceof NoAnswer)
        throw new MigrationError("STORE_UNAVAILABLE", e.message, { cause: e });
      throw e;
    }
  }

  async verify(options: { readonly repair: boolean }): Promise<Comparison> {
    const until = Date.now() + 7000;
    const { owner } = await this.#current(3000);
    const [from, to] = [this.#stores[owner], this.#stores[other(owner)]];
    const ms = () => Math.min(3000, until - Date.now());
    let compared = 0;
    const suspects: string[] = [];
    try {
      for (let low = "", more = true; more; ) {
        const rows = await from.ask<Row>("background", sql.page(owner), [low, 2000], ms());
        more = rows.length === 2000;
        const high = more ? (rows.at(-1) as Row).id : null;
        const theirs = new Map(
          (await to.ask<Row>("background", sql.range(to.name), [low, high], ms())).map((r) => [
            r.id,
            r,
          ]),
        );
        for (const row of rows) {
          const b = theirs.get(row.id);
          theirs.delete(row.id);
          compared++;
          if (!same(account(owner, row), account(to.name, b))) suspects.push(row.id);
        }
        compared += theirs.size;
        suspects.push(...theirs.keys());
        low = high ?? low;
      }
      const found = { missing: [] as string[], surplus: [] as string[], differing: [] as string[] };
      let open = suspects.sort();
      for (let i = 0; open.length > 0 && Date.now() < until - 1500; i++) {
        if (i > 0) await sleep(100);
        const again: string[] = [];
        for (let at = 0; at < open.length; at += 500) {
          const ids = open.slice(at, at + 500);
          const ours = await this.#rows(owner, ids, ms(), "background");
          const theirs = await this.#rows(to.name, ids, ms(), "background");
          const wrong: Row[] = [];
          for (const [j, a] of ours.entries()) {
            const b = theirs[j] as Row;
            const [x, y] = [account(owner, a), account(to.name, b)];
            if (same(x, y)) continue;
            // On its way, or written since: look again.
            if (a.noted || BigInt(b.version) > BigInt(a.version)) again.push(a.id);
            else {
              wrong.push(a);
              (y === null ? found.missing : x === null ? found.surplus : found.differing).push(
                a.id,
              );
            }
          }
          if (options.repair && wrong.length > 0) {
            const good = await this.#bring(wrong, ms());
            await from.ask("background", sql.arrived, this.#arrived(good), ms());
          }
        }
        open = again;
      }
      for (const ids of Object.values(found)) ids.sort();
      return { compared, ...found };
    } catch (e) {
      if (e instanceof NoAnswer || e instanceof Moved)
        throw new MigrationError("STORE_UNAVAILABLE", e.message, { cause: e });
      throw e;
    }
  }

  async status(): Promise<Status> {
    const { phase, pending } = await this.#current(this.#clientMs);
    return {
      phase,
      pending,
      shadow: { compared: this.#compared, mismatches: [...this.#mismatches] },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await Promise.all(Object.values(this.#stores).map((s) => s.close(this.#budget * 0.4)));
  }
}
