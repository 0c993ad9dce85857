/** The copy of what was there before, and the comparison of all there is. */
import type { Comparison } from "../../contract.ts";
import type { Carrier } from "./carrier.ts";
import { MigrationError } from "./errors.ts";
import { same } from "./rows.ts";
import { sql } from "./sql.ts";
import { account, other, type Row } from "./state.ts";
import { NoAnswer, sleep } from "./stores.ts";
import { Moved, type Word } from "./word.ts";

export class Copy {
  readonly #word: Word;
  readonly #carrier: Carrier;

  constructor(word: Word, carrier: Carrier) {
    this.#word = word;
    this.#carrier = carrier;
  }

  async backfill(limit: number): Promise<{ readonly done: boolean }> {
    const until = Date.now() + 6500;
    const now = await this.#word.current(3000);
    if (now.phase === "modern") return { done: true };
    if (now.phase === "legacy")
      throw new MigrationError("NOT_READY", "nothing is copied before the phase is copying");
    const legacy = this.#word.stores.legacy;
    const ms = () => Math.min(3000, until - Date.now());
    try {
      const claimed = await legacy.ask<{ id: string }>("background", sql.claim, [limit], ms());
      if (claimed.length > 0) {
        const rows = await this.#carrier.rows(
          "legacy",
          claimed.map((r) => r.id),
          ms(),
          "background",
        );
        const good = await this.#carrier.bring(rows, ms());
        await legacy.ask("background", sql.arrived, this.#carrier.arrived(good), ms());
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
    const { owner } = await this.#word.current(3000);
    const [from, to] = [this.#word.stores[owner], this.#word.stores[other(owner)]];
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
          const ours = await this.#carrier.rows(owner, ids, ms(), "background");
          const theirs = await this.#carrier.rows(to.name, ids, ms(), "background");
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
            const good = await this.#carrier.bring(wrong, ms());
            await from.ask("background", sql.arrived, this.#carrier.arrived(good), ms());
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
}
