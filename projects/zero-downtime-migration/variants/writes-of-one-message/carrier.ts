/** Brings what one store has noted to the other one. */
import type { StoreName } from "../../contract.ts";
import { columns } from "./rows.ts";
import { sql } from "./sql.ts";
import { account, other, type Row } from "./state.ts";
import { Moved, type Word } from "./word.ts";

export class Carrier {
  readonly #word: Word;

  constructor(word: Word) {
    this.#word = word;
  }

  rows(
    name: StoreName,
    ids: readonly string[],
    ms: number,
    kind: "client" | "background",
  ): Promise<Row[]> {
    return this.#word.stores[name].ask<Row>(kind, sql.read(name), [ids], ms);
  }

  /** Brings rows, as they are in `from`, to the other store. Says how many arrived. */
  async bring(rows: readonly Row[], ms: number): Promise<Row[]> {
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
    const [r] = await this.#word.stores[to].ask<{ ok: boolean }>(
      "background",
      sql.apply,
      [JSON.stringify(said), s.attempt],
      ms,
    );
    if (r?.ok !== true) throw new Moved();
    return good;
  }

  arrived(good: readonly Row[]): unknown[] {
    return [good.map((r) => r.id), good.map((r) => r.version), good[0]?.state.attempt ?? 0];
  }

  async carry(most: number, ms: number): Promise<number> {
    const name = this.#word.known?.owner ?? "legacy";
    const from = this.#word.stores[name];
    const until = Date.now() + ms;
    const rows = await from.ask<Row>("background", sql.noted(name), [most], until - Date.now());
    const state = (rows[0] as Row).state;
    if (!(await this.#word.mine(state, until - Date.now()))) return 0;
    const noted = rows.filter((r) => r.id !== null);
    if (noted.length === 0) return 0;
    const good = await this.bring(noted, until - Date.now());
    await from.ask("background", sql.arrived, this.arrived(good), until - Date.now());
    return good.length;
  }
}
