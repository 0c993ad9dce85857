/** Replicas in this process, and what one says to the other. */
import type { Actor, Change, Edit, Properties, Replica, ShapeId } from "../../contract.ts";
import { startReplica } from "../../src/replica/replica.ts";

export const DOCUMENT = "board";
export const TREASURER = "treasury";

export function replicaOf(actor: Actor): Replica {
  return startReplica({ role: "replica", name: actor, actor, treasurer: TREASURER });
}

export function added(shape: ShapeId, type: Properties["type"] = "rectangle"): Edit {
  const properties = { type, x: 1, y: 2, width: 3, height: 4, color: "#102030" } as const;
  return { kind: "add", shape, parent: null, above: null, properties };
}

export function typed(shape: ShapeId, at: number, text: string): Edit {
  return { kind: "insert", shape, at, text };
}

export function removed(shape: ShapeId, at: number, length: number): Edit {
  return { kind: "remove", shape, at, length };
}

export async function textOf(replica: Replica, shape: ShapeId): Promise<string | undefined> {
  const { shapes } = await replica.view(DOCUMENT);
  return shapes.find(({ id }) => id === shape)?.text;
}

/** All that anybody has comes to everybody. */
export async function meet(...replicas: readonly Replica[]): Promise<void> {
  const all: Change[] = [];
  for (const one of replicas) all.push(...(await one.changesSince(DOCUMENT, {})));
  for (const one of replicas) await one.receive(DOCUMENT, all);
}
