/**
 * Who this page is. An actor's changes are numbered, so no two pages may be the same one: each holds a lock
 * on its own as long as it is open. A page that is opened again takes up an actor whose page is gone, with
 * whatever that one hadn't sent yet.
 */
import type { Actor, DocumentId } from "../../../contract.ts";
import { keptActors } from "./keep.ts";

const SUFFIX_LENGTH = 6;

/** @param treasurer of whom there is but one: no suffix tells that one apart from others of the name */
export async function takeActor(
  store: string,
  document: DocumentId,
  name: string,
  treasurer: Actor,
): Promise<Actor> {
  const hold = (actor: Actor) => holdLock(`${store} ${document} ${actor}`);
  if (name === treasurer) {
    if (await hold(treasurer)) return treasurer;
    throw new Error("The treasurer is here already, in another page.");
  }
  // Of whom nothing is kept, nobody knows which numbers are taken.
  for (const actor of await keptActors(store, document)) {
    if (nameOf(actor) === name && (await hold(actor))) return actor;
  }
  const actor = `${name}-${crypto.randomUUID().replaceAll("-", "").slice(0, SUFFIX_LENGTH)}`;
  await hold(actor);
  return actor;
}

/** For people: without what tells apart two of one name. */
export function nameOf(actor: Actor): string {
  return actor.replace(new RegExp(`-[0-9a-f]{${SUFFIX_LENGTH}}$`), "");
}

/** Resolves at once, with whether it is ours; then it is, until the page is gone. */
function holdLock(lock: string): Promise<boolean> {
  return new Promise((resolve) => {
    void navigator.locks.request(lock, { ifAvailable: true }, (held) => {
      resolve(held !== null);
      return held ? new Promise(() => {}) : undefined;
    });
  });
}
