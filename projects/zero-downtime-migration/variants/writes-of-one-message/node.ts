import { randomUUID } from "node:crypto";
import type { Account, MigrationNode, NodeConfig, Phase, Read, Status } from "../../contract.ts";
import { Carrier } from "./carrier.ts";
import { Copy } from "./copy.ts";
import { MigrationError } from "./errors.ts";
import { Phases } from "./phases.ts";
import { columns } from "./rows.ts";
import { Shadow } from "./shadow.ts";
import { sql } from "./sql.ts";
import { account, bucket, type Row, type State, share } from "./state.ts";
import { Store, sleep } from "./stores.ts";
import { Moved, Word } from "./word.ts";

export class Node implements MigrationNode {
  readonly #budget: number;
  readonly #word: Word;
  readonly #carrier: Carrier;
  readonly #phases: Phases;
  readonly #copy: Copy;
  readonly #shadow: Shadow;
  readonly #closing = new AbortController();
  #wake: () => void = () => {};
  #modernAwayUntil = 0;

  constructor({ legacy, modern, requestBudgetMs }: NodeConfig) {
    this.#budget = requestBudgetMs;
    this.#word = new Word({
      legacy: new Store("legacy", legacy, requestBudgetMs),
      modern: new Store("modern", modern, requestBudgetMs),
    });
    this.#carrier = new Carrier(this.#word);
    this.#phases = new Phases(this.#word, this.#carrier, requestBudgetMs);
    this.#copy = new Copy(this.#word, this.#carrier);
    this.#shadow = new Shadow(this.#carrier, this.#closing.signal);
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async start(): Promise<void> {
    const until = Date.now() + 2600;
    const found = new Promise<void>((resolve) => {
      for (const name of ["legacy", "modern"] as const) {
        void (async () => {
          while (Date.now() < until && !this.#closed) {
            const state = await this.#word.look(name, Math.min(1200, until - Date.now()));
            if (state?.owner === name) return resolve();
            // It says that the other one has it: that one may not know yet.
            await sleep(100);
          }
        })();
      }
    });
    await Promise.race([found, sleep(2650)]);
    if (this.#word.known === undefined)
      throw new MigrationError("STORE_UNAVAILABLE", "no store says who has the last word");
    void this.#carryLoop();
    void this.#watchLoop();
  }

  get #clientMs() {
    return this.#budget * 0.8;
  }

  async #write(
    kind: "create" | "update" | "remove",
    id: string,
    change: Partial<Account>,
  ): Promise<void> {
    const op = randomUUID();
    const r = await this.#word.decided(this.#clientMs, async (name, ms) => {
      const until = Date.now() + ms;
      const [row] = await this.#word.stores[name].ask<{ w: { r: string; state: State } }>(
        "client",
        sql.write,
        [op, kind, id, JSON.stringify(columns(name, change)), this.#word.known?.epoch ?? 0],
        ms,
      );
      const w = (row as { w: { r: string; state: State } }).w;
      if (!(await this.#word.mine(w.state, until - Date.now())) || w.r === "LATE")
        throw new Moved();
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
    const { name, rows } = await this.#word.decided(this.#clientMs, async (name, ms) => {
      const until = Date.now() + ms;
      const rows = await this.#carrier.rows(name, ids, ms, "client");
      if (!(await this.#word.mine((rows[0] as Row).state, until - Date.now()))) throw new Moved();
      return { name, rows };
    });
    const { phase } = (rows[0] as Row).state;
    const fromModern = new Map<string, Row>();
    const shared =
      name === "legacy" && share(phase) > 0 ? rows.filter((r) => bucket(r.id) < share(phase)) : [];
    if (shared.length > 0 && Date.now() > this.#modernAwayUntil) {
      const ms = Math.min(400, this.#budget * 0.15, end - Date.now());
      try {
        for (const m of await this.#carrier.rows(
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
      for (const row of rows) void this.#shadow.compareLater(row);
    return rows.map((row) => {
      const m = fromModern.get(row.id);
      // Older than what legacy has: still on its way.
      if (m !== undefined && BigInt(m.version) >= BigInt(row.version))
        return { account: account("modern", m), servedFrom: "modern" };
      return { account: account(name, row), servedFrom: name };
    });
  }

  setPhase(phase: Phase): Promise<void> {
    return this.#phases.setPhase(phase);
  }

  backfill(limit: number) {
    return this.#copy.backfill(limit);
  }

  verify(options: { readonly repair: boolean }) {
    return this.#copy.verify(options);
  }

  async status(): Promise<Status> {
    const { phase, pending } = await this.#word.current(this.#clientMs);
    return {
      phase,
      pending,
      shadow: { compared: this.#shadow.compared, mismatches: [...this.#shadow.mismatches] },
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await Promise.all(Object.values(this.#word.stores).map((s) => s.close(this.#budget * 0.4)));
  }

  async #carryLoop(): Promise<void> {
    while (!this.#closed) {
      const woken = new Promise<void>((done) => {
        this.#wake = done;
      });
      try {
        if ((await this.#carrier.carry(200, 1500)) === 200) continue;
        await Promise.race([woken, sleep(100)]);
      } catch {
        await sleep(150);
      }
    }
  }

  async #watchLoop(): Promise<void> {
    for (let i = 1; !this.#closed; i++) {
      await Promise.all([this.#word.look("legacy", 1000), this.#word.look("modern", 1000)]);
      if (i % 400 === 0) {
        for (const s of Object.values(this.#word.stores))
          await s.ask("background", sql.prune, [], 2000).catch(() => {});
      }
      await sleep(250);
    }
  }
}
