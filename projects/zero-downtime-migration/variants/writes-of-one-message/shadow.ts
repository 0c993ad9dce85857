/** Reads that legacy answered are compared with what modern would have said. */
import type { Carrier } from "./carrier.ts";
import { same } from "./rows.ts";
import { account, type Row } from "./state.ts";
import { sleep } from "./stores.ts";

export class Shadow {
  readonly #carrier: Carrier;
  readonly #closed: AbortSignal;
  #comparing = 0;
  compared = 0;
  readonly mismatches = new Set<string>();

  constructor(carrier: Carrier, closed: AbortSignal) {
    this.#carrier = carrier;
    this.#closed = closed;
  }

  /** Nobody waits for it. Rows of one version have to say one thing. */
  async compareLater(row: Row): Promise<void> {
    if (this.#comparing >= 200) return;
    this.#comparing++;
    try {
      let mine: Row | undefined = row;
      for (let i = 0; i < 12 && !this.#closed.aborted && mine?.state.phase === "shadow"; i++) {
        try {
          const [theirs] = await this.#carrier.rows("modern", [row.id], 1000, "background");
          const onItsWay =
            mine.noted || (mine.copied_in < mine.state.attempt && mine.version !== "0");
          if (!onItsWay && theirs !== undefined && BigInt(theirs.version) <= BigInt(mine.version)) {
            this.compared++;
            if (!same(account("legacy", mine), account("modern", theirs)))
              this.mismatches.add(row.id);
            return;
          }
        } catch {}
        await sleep(100 + 50 * i);
        mine = (
          await this.#carrier
            .rows("legacy", [row.id], 1000, "background")
            .catch(() => [mine as Row])
        )[0];
      }
    } finally {
      this.#comparing--;
    }
  }
}
