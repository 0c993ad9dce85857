import { type CheckContext, checksFor } from "@db-katas/grading";
import type {
  Actor,
  Change,
  DocumentId,
  Edit,
  Properties,
  Replica,
  Shape,
  ShapeId,
  Submission,
  View,
} from "../contract.ts";

export type LedgerContext = CheckContext<Submission>;

/** Checks of servers start from a database that the submission's `migrate` has prepared. */
export const check = checksFor<Submission>({
  postgres: { build: (submission, url) => submission.migrate(url) },
});

/** Who may issue money, in every check. */
export const TREASURER: Actor = "treasury";

/** A replica in a process of its own; the node is named like the actor, unless it is named otherwise. */
export async function startReplica(
  t: LedgerContext,
  actor: Actor,
  { name = actor, treasurer = TREASURER } = {},
): Promise<Replica> {
  return (await t.start(name, { role: "replica", name, actor, treasurer })) as Replica;
}

export function startReplicas(t: LedgerContext, actors: readonly Actor[]): Promise<Replica[]> {
  return Promise.all(actors.map((actor) => startReplica(t, actor)));
}

const TYPES = ["rectangle", "ellipse", "line", "text"] as const;

export function drawn(t: LedgerContext, type?: Properties["type"]): Properties {
  return {
    type: type ?? t.random.pick([...TYPES]),
    x: t.random.int(-2_000, 2_000) / 4,
    y: t.random.int(-2_000, 2_000),
    width: t.random.int(1, 500),
    height: t.random.int(1, 500) / 8,
    color: colorOf(t),
  };
}

export function colorOf(t: LedgerContext): string {
  return `#${t.random.int(0, 0xffffff).toString(16).padStart(6, "0")}`;
}

interface Place {
  readonly parent?: ShapeId | null;
  readonly above?: ShapeId | null;
}

export function add(
  t: LedgerContext,
  shape: ShapeId,
  { parent = null, above = null, type }: Place & { type?: Properties["type"] } = {},
): Edit {
  return { kind: "add", shape, parent, above, properties: drawn(t, type) };
}

export function move(shape: ShapeId, { parent = null, above = null }: Place = {}): Edit {
  return { kind: "move", shape, parent, above };
}

/** Everybody gets what anybody has; twice around, so that the first one has it, too. */
export async function exchange(document: DocumentId, replicas: readonly Replica[]): Promise<void> {
  for (const _ of [1, 2]) {
    for (const from of replicas) {
      for (const to of replicas) {
        if (from === to) continue;
        const changes = await from.changesSince(document, await to.version(document));
        if (changes.length > 0) await to.receive(document, changes);
      }
    }
  }
}

/** @returns what all of them see */
export async function sameView(
  t: LedgerContext,
  document: DocumentId,
  replicas: readonly Replica[],
  what = "replicas that have the same changes see the same",
): Promise<View> {
  const [first, ...others] = await Promise.all(replicas.map((one) => one.view(document)));
  for (const other of others) t.equal(other, first, what);
  return first as View;
}

/** Everybody sees everything, and the same. */
export async function meet(
  t: LedgerContext,
  document: DocumentId,
  replicas: readonly Replica[],
): Promise<View> {
  await exchange(document, replicas);
  return sameView(t, document, replicas);
}

/** Whatever is on a board, at any depth. */
export function allShapes(shapes: readonly Shape[]): Shape[] {
  return shapes.flatMap((shape) => [shape, ...allShapes(shape.children)]);
}

export function shapeIn(view: View, id: ShapeId): Shape | undefined {
  return allShapes(view.shapes).find((shape) => shape.id === id);
}

export const idsOf = (shapes: readonly Shape[]): ShapeId[] => shapes.map(({ id }) => id);

/** `nodes`, each as one line: what is in it is in brackets. */
export function outline(shapes: readonly Shape[]): string {
  return shapes
    .map(({ id, children }) => (children.length > 0 ? `${id}(${outline(children)})` : id))
    .join(" ");
}

export type { Change, Edit, Replica, View };
