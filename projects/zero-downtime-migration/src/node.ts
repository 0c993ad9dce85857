/** One app node: clients' calls, and the operator's. */
import { setTimeout as wait } from "node:timers/promises";
import type { MigrationNode, Phase, Read, Status } from "../contract.ts";
import { legacyDialect, modernDialect, parseAccount, parseChange } from "./account.ts";
import { Carrier } from "./carrier.ts";
import type { Settings } from "./config.ts";
import { Database } from "./database.ts";
import { Closed, MigrationError, Unreached, unavailable } from "./errors.ts";
import { within } from "./limit.ts";
import { type Log, logger } from "./log.ts";
import { Operator } from "./operator.ts";
import { canaryPosition, canaryShare, isShadowed } from "./phase.ts";
import { Shadow } from "./shadow.ts";
import { type Entry, Store } from "./store.ts";

/** While the last word passes from one store to the other, neither has it for a moment. */
const PASSING_MS = 10;
/** How long modern is left alone after it gave no answer, in milliseconds, while nobody depends on it. */
const REST_MS = 500;

export class Node implements MigrationNode {
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #legacy: Store;
  readonly #modern: Store;
  readonly #operator: Operator;
  readonly #carrier: Carrier;
  readonly #shadow: Shadow;
  /** Who was the last to say that it has the last word. Never believed: only where to ask first. */
  #lead: Store;
  #modernRestsUntil = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#log = logger(settings.name);
    const { statementMs } = settings;
    const limits = { statementMs, idleMs: statementMs };
    const database = (url: string) => new Database(url, limits, this.#log);
    this.#legacy = new Store("legacy", database(settings.legacy), legacyDialect);
    this.#modern = new Store("modern", database(settings.modern), modernDialect);
    this.#lead = this.#legacy;
    this.#operator = new Operator(this.#legacy, this.#modern, settings);
    this.#shadow = new Shadow(this.#modern, this.#log);
    this.#carrier = new Carrier(async () => {
      const [lead, follower, word] = await this.#operator.route();
      return word.phase === "legacy" ? undefined : [lead, follower];
    }, this.#log);
  }

  async create(input: Parameters<MigrationNode["create"]>[0]): Promise<void> {
    const account = parseAccount(input);
    await this.#write((store) => store.create(account));
  }

  async update(id: string, input: Parameters<MigrationNode["update"]>[1]): Promise<void> {
    const change = parseChange(input);
    await this.#write((store) => store.update(id, change));
  }

  async remove(id: string): Promise<void> {
    await this.#write((store) => store.remove(id));
  }

  async get(id: string): Promise<Read> {
    const [read] = await this.getMany([id]);
    return read as Read;
  }

  async getMany(ids: readonly string[]): Promise<readonly Read[]> {
    if (ids.length === 0) return [];
    return this.#untilAnswered(async (store) => {
      const { word, entries } = await store.read(ids).catch((cause: unknown) => {
        throw new Unreached("no answer", { cause });
      });
      if (!word.open) throw new Closed();
      if (store === this.#modern) return entries.map(readFrom("modern"));
      return this.#answer(word.phase, entries);
    });
  }

  setPhase(phase: Phase): Promise<void> {
    this.#log.info({ phase }, "phase asked for");
    return this.#operator.setPhase(phase);
  }

  backfill(limit: number): Promise<{ readonly done: boolean }> {
    return this.#operator.backfill(limit);
  }

  verify(options: { readonly repair: boolean }) {
    return this.#operator.verify(options);
  }

  async status(): Promise<Status> {
    const [lead, , { phase }] = await this.#operator.route();
    return { phase, pending: await lead.pendingCount(), shadow: this.#shadow.found };
  }

  async close(): Promise<void> {
    const closing = async () => {
      await this.#carrier.close();
      await Promise.all([this.#legacy.database.close(), this.#modern.database.close()]);
    };
    await Promise.race([closing(), wait(this.#settings.callMs, undefined, { ref: false })]);
  }

  /**
   * What legacy said, or modern where it is its turn and has all of it. Nothing is ever waited for but
   * one attempt at reading modern.
   */
  async #answer(phase: Phase, entries: readonly Entry[]): Promise<Read[]> {
    const share = canaryShare(phase);
    const isModerns = ({ id, version, carried }: Entry) =>
      canaryPosition(id) < share && version > 0 && carried >= version;
    const asked = entries.filter(isModerns);
    const answered = await this.#fromModern(asked);
    if (isShadowed(phase)) this.#shadow.compare(entries.filter(({ id }) => !answered.has(id)));
    return entries.map((entry) => answered.get(entry.id) ?? readFrom("legacy")(entry));
  }

  async #fromModern(asked: readonly Entry[]): Promise<Map<string, Read>> {
    if (asked.length === 0 || performance.now() < this.#modernRestsUntil) return new Map();
    try {
      const read = this.#modern.read(asked.map(({ id }) => id));
      const { entries } = await within(this.#settings.canaryMs, read);
      // A modern that was restored from a backup lacks what legacy knows to have been carried.
      const whole = entries.filter(({ version }, at) => version >= (asked[at]?.version ?? 0));
      return new Map(whole.map((entry) => [entry.id, readFrom("modern")(entry)]));
    } catch (error) {
      this.#modernRestsUntil = performance.now() + REST_MS;
      this.#log.warn({ error: String(error) }, "legacy answers in modern's place");
      return new Map();
    }
  }

  async #write(work: (store: Store) => Promise<void>): Promise<void> {
    await this.#untilAnswered(work);
    this.#carrier.wake();
  }

  /** Asks the store that leads, and the other one where that has changed, or can't be asked. */
  async #untilAnswered<T>(ask: (store: Store) => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#settings.callMs;
    const attempts = async (): Promise<T> => {
      for (;;) {
        const store = this.#lead;
        try {
          return await ask(store);
        } catch (error) {
          if (error instanceof MigrationError) throw error;
          const isCertain = error instanceof Closed || error instanceof Unreached;
          if (!isCertain || performance.now() > deadline) throw unavailable(store.name, error);
          // Unless another call has found out meanwhile.
          if (this.#lead === store) this.#lead = this.#otherThan(store);
          await wait(PASSING_MS);
        }
      }
    };
    return within(this.#settings.callMs, attempts()).catch((error: unknown) => {
      throw error instanceof MigrationError ? error : unavailable(this.#lead.name, error);
    });
  }

  #otherThan(store: Store): Store {
    return store === this.#legacy ? this.#modern : this.#legacy;
  }
}

function readFrom(servedFrom: Read["servedFrom"]): (entry: Entry) => Read {
  return ({ account }) => ({ account, servedFrom });
}
