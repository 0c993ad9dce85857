/** Changes as anybody can write them who has Loro, and what replicas send, merged by Loro alone. */
import type { JsonChange, LoroDoc, PeerID } from "loro-crdt";
import type { Actor, Change } from "../../contract.ts";
import { decode, encode, type Operations, toJson } from "../../src/replica/encoding.ts";
import { peerOf } from "../../src/replica/identity.ts";
import { DOCUMENT, TREASURER } from "./people.ts";

const ACTORS: readonly Actor[] = ["ada", "bob", "cleo", "eve", TREASURER];

export function operationsOf(change: Change): Operations {
  const operations = decode(DOCUMENT, change);
  if (!operations) throw new Error(`Nobody has encoded change ${change.seq} of ${change.actor}.`);
  return operations;
}

export function merge(doc: LoroDoc, change: Change): void {
  const changes = [toJson(peerOf(DOCUMENT, change.actor), operationsOf(change))];
  const json = { schema_version: 1, start_version: {}, peers: null, changes };
  doc.importJsonUpdates(JSON.stringify(json));
}

/** What an actor's document has of its own, as its first change. */
export function firstChange(doc: LoroDoc, actor: Actor): Change {
  const peer = peerOf(DOCUMENT, actor);
  const length = doc.oplogVersion().get(peer) ?? 0;
  return written({ actor, seq: 1 }, doc.exportJsonInIdSpan({ peer, counter: 0, length }));
}

export function written(of: Pick<Change, "actor" | "seq">, changes: readonly JsonChange[]): Change {
  const actorOf = (peer: PeerID) =>
    ACTORS.find((one) => peerOf(DOCUMENT, one) === peer) ?? "nobody";
  return { ...of, bytes: encode(DOCUMENT, of, changes, actorOf) };
}
