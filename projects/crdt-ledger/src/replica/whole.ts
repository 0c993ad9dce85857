/**
 * A document that came as one piece, by what it comes to. To look at each change in it takes as long as its
 * history is, and many times as long as Loro needs to read it. What nobody may do is also to be seen at the
 * end: shapes that aren't whole, somebody else's deletion, money that wasn't issued or that is spent twice.
 */
import type { ContainerID, LoroDoc } from "loro-crdt";
import type { Actor, DocumentId, Properties } from "../../contract.ts";
import { isActor, isEntry, isId, PROPERTIES, SETTABLE } from "../model.ts";
import { ledgerOf } from "./audit.ts";
import { type Board, DELETION } from "./board.ts";
import { counterOf, type Made } from "./containers.ts";
import { peerOf } from "./identity.ts";
import { Ledger } from "./ledger.ts";

export interface Whole {
  readonly version: Map<Actor, number>;
  /** Of each id the shape that can be seen; of others that have its id, nothing. */
  readonly made: readonly Made[];
  readonly ledger: Ledger;
}

/** @returns undefined where that can't be told by what is there now: then its changes have to be looked at */
export function wholeOf(
  doc: LoroDoc,
  board: Board,
  { document, treasurer }: { readonly document: DocumentId; readonly treasurer: Actor },
): Whole | undefined {
  const version = new Map<Actor, number>();
  const actors = new Map<string, Actor>();
  const log = doc.getMap("log");
  for (const [actor, seq] of log.entries()) {
    if (!isActor(actor) || !Number.isSafeInteger(seq) || (seq as unknown as number) < 1) return;
    const peer = peerOf(document, actor);
    if (log.getLastEditor(actor) !== peer) return;
    version.set(actor, seq as unknown as number);
    actors.set(peer, actor);
  }
  const isKnown = (peer: string) => actors.has(peer);
  const roots = new Set(["log", "shapes", "slots", ...[...version.keys()].map(ledgerOf)]);
  if (!doc.oplogVersion().toJSON().keys().every(isKnown)) return;
  if (!Object.keys(doc.getShallowValue()).every((name) => roots.has(name))) return;
  const slots = doc.getList("slots").toArray();
  const made = shapesIn(doc, board, { document, actors, slots: new Set(slots) });
  const ledger = ledgerIn(doc, { document, treasurer, actors: version.keys() });
  return made && ledger && { version, made, ledger };
}

interface Around {
  readonly document: DocumentId;
  readonly actors: ReadonlyMap<string, Actor>;
  readonly slots: ReadonlySet<unknown>;
}

function shapesIn(doc: LoroDoc, board: Board, around: Around): Made[] | undefined {
  const made: Made[] = [];
  const parents = new Set<unknown>();
  // Whatever is no map is none of the board's.
  const maps = doc.getMap("shapes").getShallowValue() as unknown as Record<string, ContainerID>;
  for (const [shape, map] of Object.entries(maps)) {
    const fields = board.fields(shape);
    if (!isId(shape) || !fields) return;
    const { type, place, text } = fields;
    const actor = around.actors.get(peerIn(map));
    if (!actor || !isText(text) || peerIn(text) !== peerIn(map)) return;
    const editorOf = (name: string) => board.map(shape).getLastEditor(name);
    if (!Object.entries(fields).every((field) => isSound(field, editorOf, around))) return;
    if (!["type", "place", ...SETTABLE].every((name) => name in fields)) return;
    const origin = { actor, counter: counterOf(map) };
    made.push({ shape, type: type as Properties["type"], map, text, origin });
    parents.add((place as unknown[])[0] ?? null);
  }
  const groups = new Set<unknown>([null]);
  for (const { shape, type } of made) if (type === "group") groups.add(shape);
  return parents.values().every((parent) => groups.has(parent)) ? made : undefined;
}

function isSound(
  [name, value]: [string, unknown],
  editorOf: (name: string) => string | undefined,
  { document, slots }: Around,
): boolean {
  if (name === "text") return true;
  if (name === "type") return PROPERTIES.type(value);
  if (name.startsWith(DELETION)) {
    const [actor = ""] = name.slice(DELETION.length).split(":");
    return typeof value === "boolean" && editorOf(name) === peerOf(document, actor);
  }
  if (!Array.isArray(value) || typeof value.at(-1) !== "string") return false;
  if (name === "place") return value.length === 3 && slots.has(value[1]);
  const isKnown = SETTABLE.some((settable) => settable === name);
  return isKnown && value.length === 2 && PROPERTIES[name as keyof Properties](value[0]);
}

function ledgerIn(
  doc: LoroDoc,
  {
    document,
    treasurer,
    actors,
  }: {
    readonly document: DocumentId;
    readonly treasurer: Actor;
    readonly actors: Iterable<Actor>;
  },
): Ledger | undefined {
  const ledger = new Ledger(treasurer);
  for (const actor of actors) {
    const list = doc.getList(ledgerOf(actor));
    const peer = peerOf(document, actor);
    for (const [i, entry] of list.toArray().entries()) {
      const id = list.getIdAt(i);
      if (!isEntry(entry) || id?.peer !== peer) return;
      if (entry.kind === "issue" && actor !== treasurer) return;
      ledger.write({ entry, origin: { actor, counter: id.counter } });
    }
  }
  return ledger.isCovered() ? ledger : undefined;
}

const isText = (value: unknown): value is ContainerID =>
  typeof value === "string" && value.startsWith("cid:") && value.endsWith(":Text");

function peerIn(container: ContainerID): string {
  return container.slice(container.indexOf("@") + 1, container.lastIndexOf(":"));
}
