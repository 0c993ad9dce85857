/**
 * A board with a long history, as replicas would have written it, but written by the library alone: a replica looks
 * at each edit, which takes it some minutes for 250,000. `test/written-history.test.ts` holds it against theirs.
 */
import { LoroDoc, type LoroMap, type LoroText } from "loro-crdt";
import type { Actor, Edit, Replica } from "../contract.ts";
import reference from "../src/index.ts";
import { peerOf } from "../src/replica/identity.ts";
import type { Random } from "./stage.ts";
import { typed } from "./typing.ts";

export const DOCUMENT = "opening";
/** In whose texts people type. */
export const SHAPES = 50;
/** Keystrokes that make a change: as many as somebody types between two looks at the network. */
const EACH = 20;
export const WRITERS: readonly Actor[] = ["ada", "bob"];

/** A change that is yet to be made. */
export interface Turn {
  /** Place in {@link WRITERS}. */
  readonly writer: number;
  readonly edits: readonly Typing[];
}
type Typing = Extract<Edit, { kind: "insert" | "remove" }>;

export async function replicaOf(actor: Actor): Promise<Replica> {
  const config = { role: "replica", name: actor, actor, treasurer: "treasury" } as const;
  return (await reference.createNode(config)) as Replica;
}

export function shapesToAdd(): Edit[] {
  const size = { x: 1, y: 2, width: 30, height: 40 };
  const properties = { type: "text", ...size, color: "#336699" } as const;
  return names().map((shape) => ({ kind: "add", shape, parent: null, above: null, properties }));
}

/** Two people take turns in writing on the same shapes, each seeing what the other one wrote before. */
export function turnsOf(random: Random, operations: number): Turn[] {
  const scripts = names().map((shape) =>
    typed(random, Math.ceil(operations / SHAPES)).map(
      ({ at, removes, inserts }): Typing =>
        removes > 0
          ? { kind: "remove", shape, at, length: removes }
          : { kind: "insert", shape, at, text: inserts },
    ),
  );
  const turns: Turn[] = [];
  for (let turn = 0; scripts.some((script) => script.length > 0); turn++) {
    const edits = scripts[turn % SHAPES]?.splice(0, EACH) ?? [];
    // Each text is by both.
    const writer = Math.floor(turn / SHAPES) % WRITERS.length;
    if (edits.length > 0) turns.push({ writer, edits });
  }
  return turns;
}

/** @returns what a replica's `save` returns that has all of it */
export async function longHistory(turns: readonly Turn[]): Promise<Uint8Array> {
  const [first = ""] = WRITERS;
  const replica = await replicaOf(first);
  await replica.edit(DOCUMENT, shapesToAdd());
  const added = await replica.save(DOCUMENT);
  await replica.close();
  const writers = WRITERS.map((actor) => new Writer(actor, added));
  for (const { writer, edits } of turns) {
    const change = writers[writer]?.change(edits) ?? added;
    writers[1 - writer]?.take(change);
  }
  const [saved = added] = writers.map((writer) => writer.save());
  for (const writer of writers) writer.free();
  return saved;
}

class Writer {
  readonly #actor: Actor;
  readonly #doc = new LoroDoc();
  readonly #texts: ReadonlyMap<string, LoroText>;

  constructor(actor: Actor, added: Uint8Array) {
    this.#actor = actor;
    this.#doc.setPeerId(peerOf(DOCUMENT, actor));
    this.#doc.import(added);
    const shapes = this.#doc.getMap("shapes");
    const textOf = (shape: string) => (shapes.get(shape) as LoroMap).get("text") as LoroText;
    this.#texts = new Map(names().map((shape) => [shape, textOf(shape)]));
  }

  change(edits: readonly Typing[]): Uint8Array {
    const from = this.#doc.oplogVersion();
    const log = this.#doc.getMap("log");
    log.set(this.#actor, ((log.get(this.#actor) as number | undefined) ?? 0) + 1);
    for (const edit of edits) {
      const text = this.#texts.get(edit.shape);
      if (edit.kind === "insert") text?.insert(edit.at, edit.text);
      else text?.delete(edit.at, edit.length);
    }
    this.#doc.commit();
    return this.#doc.export({ mode: "update", from });
  }

  take(change: Uint8Array): void {
    this.#doc.import(change);
  }

  save(): Uint8Array {
    return this.#doc.export({ mode: "snapshot" });
  }

  free(): void {
    this.#doc.free();
  }
}

function names(): string[] {
  return Array.from({ length: SHAPES }, (_, i) => `shape-${i}`);
}
