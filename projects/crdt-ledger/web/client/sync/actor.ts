/**
 * Who this page is. An actor's changes are numbered, so no two pages may be the same one: each holds a lock
 * on its own as long as it is open. A page that is opened again takes up an actor whose page is gone, with
 * whatever that one hadn't sent yet.
 */
import type { Actor, DocumentId } from "../../../contract.ts";

const SUFFIX_LENGTH = 6;

/** @param treasurer of whom there is but one: no suffix tells that one apart from others of the name */
export async function takeActor(
  store: string,
  document: DocumentId,
  name: string,
  treasurer: Actor,
): Promise<Actor> {
  const known = knownActors(store, document, name);
  const candidates = name === treasurer ? [treasurer] : known;
  for (const actor of candidates) {
    if (await hold(`${store} ${document} ${actor}`)) return actor;
  }
  if (name === treasurer) throw new Error("The treasurer is here already, in another page.");
  const actor = `${name}-${crypto.randomUUID().replaceAll("-", "").slice(0, SUFFIX_LENGTH)}`;
  await hold(`${store} ${document} ${actor}`);
  remember(store, document, name, [...known, actor]);
  return actor;
}

/** For people: without what tells apart two of one name. */
export function nameOf(actor: Actor): string {
  return actor.replace(new RegExp(`-[0-9a-f]{${SUFFIX_LENGTH}}$`), "");
}

/** Resolves at once, with whether it is ours; then it is, until the page is gone. */
function hold(lock: string): Promise<boolean> {
  return new Promise((resolve) => {
    void navigator.locks.request(lock, { ifAvailable: true }, (held) => {
      resolve(held !== null);
      return held ? new Promise(() => {}) : undefined;
    });
  });
}

const keyOf = (store: string, document: DocumentId, name: string) => `${store} ${document} ${name}`;

function knownActors(store: string, document: DocumentId, name: string): Actor[] {
  return JSON.parse(localStorage.getItem(keyOf(store, document, name)) ?? "[]") as Actor[];
}

function remember(store: string, document: DocumentId, name: string, actors: Actor[]): void {
  localStorage.setItem(keyOf(store, document, name), JSON.stringify(actors));
}
