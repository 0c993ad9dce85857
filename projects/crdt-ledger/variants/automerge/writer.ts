/** Puts changes into the log, once a judge has taken them as everybody else will. */
import type { Actor, Change, DocumentId } from "../../contract.ts";
import { LedgerError } from "./errors.ts";
import { Judge } from "./judge.ts";
import { append, firstWrong, type Head, headOf, pageAfter, replace } from "./log.ts";
import { pieceOf } from "./piece.ts";
import { inTime, type Query, type Store, unavailable } from "./store.ts";

/** What judges what comes after a position of the log. */
interface Copy {
  readonly judge: Judge;
  readonly position: number;
}

interface Done<T> {
  readonly result: T;
  /** Where the copy is then; undefined: it isn't what the log comes to. */
  readonly position?: number;
}

export class Writer {
  readonly #store: Store;
  readonly #treasurer: Actor;
  readonly #copies = new Map<DocumentId, Copy>();
  readonly #turns = new Map<DocumentId, Promise<unknown>>();

  constructor(store: Store, treasurer: Actor) {
    this.#store = store;
    this.#treasurer = treasurer;
  }

  /**
   * @param changes of one actor, whose `seq` follow each other
   * @param sound called when they are found to be so, and not yet stored
   * @returns why they were refused, and nothing was stored; null when all are stored for good
   * @throws LedgerError `STORE_UNAVAILABLE`: whether they are stored is unknown
   */
  push(
    document: DocumentId,
    changes: readonly Change[],
    sound: () => void,
  ): Promise<"INVALID_CHANGE" | "TOO_EARLY" | null> {
    return this.#alone(document, async (query, head, judge) => {
      const { actor, seq: last } = changes.at(-1) as Change;
      const known = judge.version()[actor] ?? 0;
      try {
        judge.receive(changes);
      } catch (error) {
        const isRefused = error instanceof LedgerError && error.code === "INVALID_CHANGE";
        if (isRefused) return { result: "INVALID_CHANGE", position: head.position };
        throw error;
      }
      // A copy that has something waiting isn't kept.
      if ((judge.version()[actor] ?? 0) < last) return { result: "TOO_EARLY" };
      sound();
      const fresh = changes.filter(({ seq }) => seq > known);
      const { position } = await append(query, document, head, fresh);
      return { result: null, position };
    });
  }

  /** @returns how many rows were removed @throws LedgerError `STORE_UNAVAILABLE` */
  compact(document: DocumentId): Promise<number> {
    return this.#alone(document, async (query, head, judge) => {
      const snapshot = { version: judge.version(), bytes: pieceOf(judge.genesis, judge.taken()) };
      const result = await replace(query, document, head, snapshot);
      return { result, position: head.position };
    });
  }

  /** @returns the first position whose row isn't what was written there; null if there is none */
  verify(document: DocumentId): Promise<number | null> {
    return this.#store.reading(this.#store.budget(), (query) => firstWrong(query, document));
  }

  async #alone<T>(
    document: DocumentId,
    work: (query: Query, head: Head, judge: Judge) => Promise<Done<T>>,
  ): Promise<T> {
    const signal = this.#store.budget();
    return this.#inTurn(signal, document, async () => {
      const before = this.#copies.get(document);
      // Until it is certain what was stored, nothing here is.
      this.#copies.delete(document);
      const { judge, position, result } = await this.#store.alone(
        signal,
        document,
        async (query) => {
          const head = await headOf(query, document);
          const judge = await this.#caughtUp(query, document, head, before);
          return { judge, ...(await work(query, head, judge)) };
        },
      );
      if (position !== undefined) this.#copies.set(document, { judge, position });
      return result;
    });
  }

  async #caughtUp(
    query: Query,
    document: DocumentId,
    head: Head,
    copy: Copy | undefined,
  ): Promise<Judge> {
    const judge = copy?.judge ?? new Judge(document, this.#treasurer);
    for (let position = copy?.position ?? 0; position < head.position; ) {
      const { snapshot, rows } = await pageAfter(query, document, position);
      if (snapshot) judge.load(snapshot.bytes);
      else judge.receive(rows);
      const next = snapshot?.position ?? rows.at(-1)?.position;
      if (next === undefined) throw new Error(`${document} has no row after ${position}.`);
      position = next;
    }
    return judge;
  }

  /** One after the other: those who wait hold no connection. */
  async #inTurn<T>(signal: AbortSignal, document: DocumentId, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(document) ?? Promise.resolve();
    const over = Promise.withResolvers<void>();
    const turn = before.then(() => over.promise);
    this.#turns.set(document, turn);
    try {
      await inTime(signal, before).catch((cause) => {
        throw unavailable(cause);
      });
      return await work();
    } finally {
      over.resolve();
      if (this.#turns.get(document) === turn) this.#turns.delete(document);
    }
  }
}
