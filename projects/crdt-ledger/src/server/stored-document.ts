/** One document on this server: pushes come in, and go to the log many at a time. */
import { setImmediate as turn } from "node:timers/promises";
import type { Actor, Change, DocumentId } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { unavailable, unlessAborted } from "./database.ts";
import type { Log, Row } from "./log.ts";
import { Mirror, type Refusal, type Run } from "./mirror.ts";

/** Who hands on what is stored. */
export interface Audience {
  /** In the order of the log. */
  hand(rows: readonly Row[]): void;
  /** Something may have been stored. */
  wake(): void;
}

/** An actor's changes that are to be stored; those that are stored already are left out. */
export interface Push {
  /** Aborted when its time is up. */
  readonly signal: AbortSignal;
  readonly changes: Run;
  /** Called when some of them are found to be so, and not yet stored. */
  sound(): void;
  /**
   * Called once.
   * @param code why they were refused, and nothing was stored; null when all are stored for good. Whether they
   * are is unknown with `STORE_UNAVAILABLE`.
   */
  answered(code: Refusal | "STORE_UNAVAILABLE" | null): void;
}

/** Pushes that are stored at once, at most. */
const MOST_PUSHES = 256;
/** For how long nobody pushes anything where nobody is about to, in milliseconds. */
const PAUSE_MS = 50;
/** Changes that nobody has had time to merge, and from which on there has to be time while PostgreSQL writes. */
const MANY_UNMERGED = 10_000;
/** And from which on they go before what is pushed: whoever needs what they come to is not to wait for long. */
const MOST_UNMERGED = 20_000;

export class StoredDocument {
  readonly #log: Log;
  readonly #document: DocumentId;
  readonly #mirror: Mirror;
  #audience: Audience | null = null;
  /** Up to where the log goes when what is being stored is there. */
  #expected = 0;
  #isCalled = false;
  #pause: NodeJS.Timeout | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Those that have come and are yet to be looked at. */
  #pushes: Push[] = [];
  readonly #unanswered = new Set<Push>();
  /** The newest that is listened to: pushes of one moment have one. */
  #signal: AbortSignal | null = null;

  constructor(log: Log, document: DocumentId, treasurer: Actor) {
    this.#log = log;
    this.#document = document;
    this.#mirror = new Mirror(log, document, treasurer);
  }

  /** Up to where the audience is handed what there is: it needn't look. */
  get expected(): number {
    return this.#expected;
  }

  tell(audience: Audience): void {
    this.#audience = audience;
  }

  push(push: Push): void {
    this.#pushes.push(push);
    this.#unanswered.add(push);
    if (push.signal !== this.#signal) {
      this.#signal = push.signal;
      push.signal.addEventListener("abort", () => this.#timeOut(), { once: true });
    }
    this.#call();
  }

  /** @returns how many rows were removed @throws LedgerError `STORE_UNAVAILABLE` */
  compact(signal: AbortSignal): Promise<number> {
    return this.#inTurn(signal, async () => {
      await this.#mirror.catchUp(signal);
      return this.#log.compact(signal, this.#document, this.#mirror.snapshot());
    });
  }

  /** Whoever's time is up is told, though what they pushed may yet be stored. */
  #timeOut(): void {
    this.#pushes = this.#pushes.filter(({ signal }) => !signal.aborted);
    for (const push of this.#unanswered) {
      if (push.signal.aborted) this.#answer(push, "STORE_UNAVAILABLE");
    }
  }

  #answer(push: Push, code: Parameters<Push["answered"]>[0]): void {
    if (this.#unanswered.delete(push)) push.answered(code);
  }

  #call(): void {
    if (this.#isCalled || this.#pushes.length === 0) return;
    this.#isCalled = true;
    void this.#inTurn(null, () => this.#storePushes());
  }

  /** Whoever's turn it is takes along what has come meanwhile: many changes cost one commit, as one does. */
  async #storePushes(): Promise<void> {
    // What lies in sockets by now comes along as well: one write less for each who is there.
    await turn();
    let left: readonly Push[] = this.#pushes.splice(0, MOST_PUSHES);
    this.#isCalled = false;
    this.#call();
    // Whoever has less time is answered by then, whatever comes of it.
    const signal = left.at(-1)?.signal;
    if (!signal) return;
    try {
      if (this.#mirror.head.position === 0) await this.#mirror.catchUp(signal);
      while (left.length > 0) left = await this.#store(signal, left);
    } catch (error) {
      // The mirror may have what the log hasn't.
      this.#mirror.forget();
      if (!(error instanceof LedgerError)) console.error(error);
      for (const push of left) this.#answer(push, "STORE_UNAVAILABLE");
    }
    this.#rest();
  }

  /** Does, as long as nobody pushes anything, what can wait until then. */
  #rest(): void {
    clearTimeout(this.#pause);
    const work = () => {
      try {
        if (this.#isCalled || this.#mirror.unmerged === 0) return;
        this.#mirror.mergeSome();
        this.#pause = setTimeout(work).unref();
      } catch {
        // It reads the log anew when somebody comes.
        void this.#inTurn(null, async () => this.#mirror.forget());
      }
    };
    this.#pause = setTimeout(work, PAUSE_MS).unref();
  }

  /** @returns those that were not looked at yet */
  async #store(signal: AbortSignal, pushes: readonly Push[]): Promise<readonly Push[]> {
    const sound: Push[] = [];
    const pushed: Push[] = [];
    const fresh: Change[] = [];
    const newest = new Map<Actor, number>();
    let read: Promise<void> | undefined;
    const catchUp = () => (read ??= this.#mirror.catchUp(signal));
    let seen = 0;
    let early: Push | undefined;
    for (const push of pushes) {
      // What is sent twice is held against what is stored; so that has to be stored first.
      const [{ actor, seq }] = push.changes;
      if ((newest.get(actor) ?? 0) >= seq) break;
      seen += 1;
      const verdict = await this.#mirror.take(signal, push.changes, catchUp);
      if (typeof verdict === "string") {
        if (this.#mirror.isSpoilt) {
          early = push;
          break;
        }
        this.#answer(push, verdict);
        continue;
      }
      sound.push(push);
      if (verdict.length > 0) pushed.push(push);
      fresh.push(...verdict);
      newest.set(actor, this.#mirror.seqOf(actor));
    }
    const left = pushes.slice(seen);
    while (this.#mirror.unmerged > MOST_UNMERGED) this.#mirror.mergeSome();
    if (!this.#mirror.takesEffect()) {
      await this.#storeOneByOne(signal, early ? [...sound, early] : sound);
      return left;
    }
    for (const push of pushed) push.sound();
    if (fresh.length > 0) await this.#append(signal, fresh);
    for (const push of sound) this.#answer(push, null);
    if (early) {
      this.#mirror.forget();
      this.#answer(early, "TOO_EARLY");
      if (left.length > 0) await this.#mirror.catchUp(signal);
    }
    return left;
  }

  /** Together they are more than Loro can apply: which one is shows where each is by itself. */
  async #storeOneByOne(signal: AbortSignal, pushes: readonly Push[]): Promise<void> {
    this.#mirror.forget();
    await this.#mirror.catchUp(signal);
    const [only, ...others] = pushes;
    if (only && others.length === 0) this.#answer(only, "INVALID_CHANGE");
    else for (const push of pushes) await this.#store(signal, [push]);
  }

  async #append(signal: AbortSignal, changes: readonly Change[]): Promise<void> {
    try {
      for (;;) {
        // One may have been pushed on another server as well.
        const left = this.#mirror.unstored(changes);
        if (left.length === 0) return this.#audience?.wake();
        const { head } = this.#mirror;
        if (head.position === 0) await this.#log.create(signal, this.#document);
        this.#expected = head.position + left.length;
        const appending = this.#log.append(signal, this.#document, head, left);
        if (this.#mirror.unmerged > MANY_UNMERGED) await this.#mergeDuring(appending);
        const rows = await appending;
        if (rows) {
          this.#mirror.stored(rows);
          return this.#audience?.hand(rows);
        }
        // Another server was first. What it stored was sound without these, and these without it.
        await this.#mirror.catchUp(signal);
      }
    } catch (error) {
      // It may be stored all the same.
      this.#audience?.wake();
      throw error;
    } finally {
      this.#expected = 0;
    }
  }

  async #mergeDuring(appending: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    appending.then(over, over);
    // The statement has left by the next turn.
    for (await turn(); !isOver && this.#mirror.unmerged > MANY_UNMERGED; await turn()) {
      this.#mirror.mergeSome();
    }
  }

  /** Runs one work after the other, in the order of the calls; none with a signal begins too late. */
  async #inTurn<T>(signal: AbortSignal | null, work: () => Promise<T>): Promise<T> {
    const turn = this.#turn;
    const over = Promise.withResolvers<void>();
    this.#turn = turn.then(() => over.promise);
    try {
      await (signal ? unlessAborted(signal, turn) : turn).catch((cause) => {
        throw unavailable(cause);
      });
      return await work();
    } finally {
      over.resolve();
    }
  }
}
