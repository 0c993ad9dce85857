/** One phase after the other, and the last word from one store to the other. */
import type { Phase } from "../../contract.ts";
import type { Carrier } from "./carrier.ts";
import { MigrationError } from "./errors.ts";
import { sql } from "./sql.ts";
import { other, ownerIn, phases, type Row, type State } from "./state.ts";
import { NoAnswer, sleep } from "./stores.ts";
import { Moved, type Word } from "./word.ts";

export class Phases {
  readonly #word: Word;
  readonly #carrier: Carrier;
  readonly #budget: number;

  constructor(word: Word, carrier: Carrier, budgetMs: number) {
    this.#word = word;
    this.#carrier = carrier;
    this.#budget = budgetMs;
  }

  async setPhase(phase: Phase): Promise<void> {
    const until = Date.now() + 7000;
    const before = await this.#word.current(3000);
    const [is, to] = [phases.indexOf(before.phase), phases.indexOf(phase)];
    if (to === is) return;
    if (to < 0 || to > is + 1)
      throw new MigrationError("NOT_READY", `${phase} does not come after ${before.phase}`);
    if (ownerIn(phase) === before.owner) await this.#stay(before, phase, until);
    else await this.#handOver(before, phase, until);
  }

  async #stay(before: State, phase: Phase, until: number): Promise<void> {
    const store = this.#word.stores[before.owner];
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
        this.#word.learn(s);
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
        const [row] = await this.#word.stores[before.owner].ask<{ state: State }>(
          "background",
          sql.setPhase,
          [before.epoch, before.phase],
          Math.min(1000, until - Date.now()),
        );
        const s = (row as { state: State }).state;
        this.#word.learn(s);
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
    const from = this.#word.stores[before.owner];
    const to = other(before.owner);
    const hold = Math.min(1500, this.#budget * 0.4);
    let handed: State | undefined;
    let why = "";
    let last: unknown;
    while (handed === undefined && Date.now() < until - 2500) {
      try {
        // Most of it while clients go on.
        while (Date.now() < until - 3500 && (await this.#carrier.carry(200, 1200)) > 20);
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
            const good = await this.#carrier.bring(noted, t - Date.now());
            if (good.length < noted.length)
              throw new MigrationError("NOT_READY", "there are rows that can't be read");
            await tx.ask(sql.arrived, this.#carrier.arrived(good));
          }
          const [l] = await tx.ask<{ uncopied: boolean }>(sql.left);
          if (to === "modern" && l?.uncopied)
            throw new MigrationError("NOT_READY", "not all rows are copied");
          // Is it there, and doesn't it think otherwise?
          const [there] = await this.#word.stores[to].ask<{ state: State }>(
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
    this.#word.learn(handed);
    // It is decided. Whoever comes first tells the other store, we at the latest.
    while (Date.now() < until + 500) {
      try {
        await this.#word.tell(to, handed, 1000);
        return;
      } catch {
        await sleep(50);
      }
    }
  }
}
