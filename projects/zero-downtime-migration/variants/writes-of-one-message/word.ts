/** Who has the last word, as far as this node has heard, and how to ask there. */
import type { StoreName } from "../../contract.ts";
import { MigrationError } from "./errors.ts";
import { sql } from "./sql.ts";
import { other, type State } from "./state.ts";
import { NoAnswer, type Store, sleep } from "./stores.ts";

/** The store that was asked has not the last word. */
export class Moved extends Error {}

export class Word {
  readonly stores: Record<StoreName, Store>;
  known: State | undefined;

  constructor(stores: Record<StoreName, Store>) {
    this.stores = stores;
  }

  learn(state: State) {
    if (this.known === undefined || state.epoch > this.known.epoch) this.known = state;
  }

  async look(name: StoreName, ms: number): Promise<State | undefined> {
    try {
      const [row] = await this.stores[name].ask<{ state: State }>("background", sql.state, [], ms);
      if (row !== undefined) this.learn(row.state);
      return row?.state;
    } catch {
      return undefined;
    }
  }

  /** Says if `state`, which this store has just said, makes it the one with the last word. */
  async mine(state: State, ms: number): Promise<boolean> {
    this.learn(state);
    if (state.owner === state.me) return true;
    const known = this.known as State;
    if (known.owner === state.me && known.epoch > state.epoch) await this.tell(state.me, known, ms);
    return false;
  }

  async tell(name: StoreName, s: State, ms: number): Promise<void> {
    const [row] = await this.stores[name].ask<{ state: State }>(
      "background",
      sql.learn,
      [s.epoch, s.phase, s.owner, s.attempt],
      ms,
    );
    if (row !== undefined) this.learn(row.state);
  }

  /** Does it where the last word is, also if that changes meanwhile. `work` throws Moved. */
  async decided<T>(total: number, work: (name: StoreName, ms: number) => Promise<T>): Promise<T> {
    const until = Date.now() + total;
    const left = () => until - Date.now();
    let why: unknown;
    while (left() > 20) {
      const name = this.known?.owner ?? "legacy";
      const attempt = work(name, left()).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      let out = await Promise.race([attempt, sleep(total * 0.25).then(() => null)]);
      if (out === null) {
        const asked = this.look(other(name), left());
        out = await Promise.race([
          attempt,
          asked.then(() => (this.known?.owner === name ? attempt : { error: new Moved() })),
        ]);
      }
      if ("value" in out) return out.value;
      if (out.error instanceof Moved) continue;
      if (!(out.error instanceof NoAnswer)) throw out.error;
      why = out.error;
      await Promise.race([this.look(other(name), left()), this.look(name, left()), sleep(200)]);
      if (this.known?.owner !== name) continue;
      if (out.error.timedOut) break;
      if (left() < total * 0.3) break;
      await sleep(50);
    }
    throw new MigrationError("STORE_UNAVAILABLE", `no answer from ${this.known?.owner}`, {
      cause: why,
    });
  }

  /** What the one with the last word says about itself. */
  async current(total: number): Promise<State & { pending: number }> {
    return this.decided(total, async (name, ms) => {
      const until = Date.now() + ms;
      const [row] = await this.stores[name].ask<{ state: State; pending: number }>(
        "client",
        sql.status,
        [],
        ms,
      );
      const { state, pending } = row as { state: State; pending: number };
      if (!(await this.mine(state, until - Date.now()))) throw new Moved();
      return { ...state, pending };
    });
  }
}
