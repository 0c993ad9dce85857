/**
 * What this browser keeps of a document: all of it, and which changes no server has acknowledged yet. A
 * change is sent only when it is kept here: another page of the same actor must not give its number away.
 */
import { del, get, keys, set } from "idb-keyval";
import type { Actor, Change, DocumentId } from "../../../contract.ts";

export interface Kept {
  readonly saved: Uint8Array;
  readonly outbox: readonly Change[];
}

export class Keep {
  readonly #key: string;
  readonly #read: () => Promise<Kept>;
  #writing = false;
  #again = false;

  /** @param read what there is now; asked each time that it is written */
  constructor(store: string, document: DocumentId, actor: Actor, read: () => Promise<Kept>) {
    this.#key = `${prefixOf(store, document)}${actor}`;
    this.#read = read;
  }

  /** @returns undefined where there is nothing, or no place to keep anything */
  async load(): Promise<Kept | undefined> {
    return await get<Kept>(this.#key).catch(() => undefined);
  }

  /** Writes what there is; however often this is called meanwhile, once more afterwards. */
  async save(kept: (what: Kept) => void, failed: (why: unknown) => void): Promise<void> {
    this.#again = true;
    if (this.#writing) return;
    this.#writing = true;
    while (this.#again) {
      this.#again = false;
      const what = await this.#read();
      // Where nothing can be kept, people can still draw together.
      await set(this.#key, what).catch(failed);
      kept(what);
    }
    this.#writing = false;
  }
}

/** Those of whom something is kept. */
export async function keptActors(store: string, document: DocumentId): Promise<Actor[]> {
  const prefix = prefixOf(store, document);
  const names = (await keys().catch(() => [])).map(String);
  return names.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
}

/** Removes what was kept of other databases. */
export async function forgetOthers(store: string): Promise<void> {
  const others = (await keys().catch(() => [])).filter((key) => !String(key).startsWith(store));
  for (const key of others) await del(key).catch(() => {});
}

const prefixOf = (store: string, document: DocumentId) => `${store} ${document} `;
