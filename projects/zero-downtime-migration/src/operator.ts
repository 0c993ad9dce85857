/** What the operator asks for, on whichever node. */
import { setTimeout as wait } from "node:timers/promises";
import type { Comparison, Phase } from "../contract.ts";
import { carry } from "./carrier.ts";
import { compare } from "./comparison.ts";
import type { Settings } from "./config.ts";
import { Closed, MigrationError, notReady, unavailable } from "./errors.ts";
import { phases } from "./phase.ts";
import type { Store, Word } from "./store.ts";
import { finishPass, passWord } from "./word.ts";

const RETRY_MS = 50;
/** How long a repair goes on, in milliseconds; the operator can have it go on. */
const REPAIR_MS = 5_000;

export class Operator {
  readonly #legacy: Store;
  readonly #modern: Store;
  readonly #settings: Settings;

  constructor(legacy: Store, modern: Store, settings: Settings) {
    this.#legacy = legacy;
    this.#modern = modern;
    this.#settings = settings;
  }

  /**
   * Who leads and who follows. Legacy is asked first: modern may be away for as long as legacy leads. A
   * pass of the last word that somebody began and did not finish is finished on the way.
   */
  async route(): Promise<readonly [lead: Store, follower: Store, word: Word]> {
    const legacy = await this.#legacy.word().catch(() => undefined);
    if (legacy?.open) return [this.#legacy, this.#modern, legacy];
    const modern = await this.#modern.word();
    if (modern.open) return [this.#modern, this.#legacy, modern];
    if (!legacy) throw unavailable("legacy");
    if (modern.epoch < legacy.epoch) await finishPass(this.#modern, legacy);
    else await finishPass(this.#legacy, modern);
    return this.route();
  }

  async setPhase(phase: Phase): Promise<void> {
    if (!phases.includes(phase)) throw new RangeError(`There is no phase ${phase}.`);
    const deadline = performance.now() + this.#settings.operatorMs;
    const [lead, follower, word] = await this.route().catch((cause: unknown) => {
      throw notReady("The store with the last word can't be reached.", cause);
    });
    if (lead === this.#legacy && phase !== "modern") {
      const set = "UPDATE migration SET phase = $1 WHERE open";
      const { rowCount } = await this.#legacy.database.query(set, [phase]);
      return rowCount === 0 ? this.setPhase(phase) : undefined;
    }
    if (phase === word.phase) return;
    if (phase === "modern" && !word.copied_all) {
      throw notReady("Not all rows are copied: call backfill() until it is done.");
    }
    await this.#pass(lead, follower, phase, deadline).catch((error: unknown) => {
      // Another operator was faster: what that means for this one is another question now.
      if (error instanceof Closed) return this.setPhase(phase);
      throw error;
    });
  }

  async backfill(limit: number): Promise<{ done: boolean }> {
    try {
      const [lead, follower, word] = await this.route();
      if (lead === this.#modern) return { done: true };
      if (!word.copied_all) await lead.noteNext(limit);
      const carried = await carry(lead, follower, limit);
      // Not until nothing is pending: with clients at work, that may never be.
      return { done: (await lead.word()).copied_all && carried < limit };
    } catch (error) {
      throw error instanceof MigrationError ? error : unavailable("modern", error);
    }
  }

  async verify({ repair }: { repair: boolean }): Promise<Comparison> {
    try {
      const [lead, follower] = await this.route();
      const { wrong, ...comparison } = await compare(lead, follower);
      if (!repair || wrong.length === 0) return comparison;
      await lead.touch(wrong);
      const ids = wrong.map(({ id }) => id);
      const deadline = performance.now() + REPAIR_MS;
      // Of others, something may always be pending.
      while ((await lead.pendingCount(ids)) > 0) {
        if (performance.now() > deadline) throw unavailable(follower.name);
        await carry(lead, follower);
      }
      return comparison;
    } catch (error) {
      throw error instanceof MigrationError ? error : unavailable("modern", error);
    }
  }

  async #pass(from: Store, to: Store, phase: Phase, deadline: number): Promise<void> {
    for (;;) {
      try {
        return await passWord(from, to, phase, { fenceMs: this.#settings.fenceMs, deadline });
      } catch (error) {
        if (error instanceof Closed || error instanceof MigrationError) throw error;
        // Somebody may hold the lock who was cut off, or the other store may have hiccuped.
        if (performance.now() > deadline) {
          throw notReady(`The last word can't pass on to ${to.name} now; try again.`, error);
        }
        await wait(RETRY_MS);
      }
    }
  }
}
