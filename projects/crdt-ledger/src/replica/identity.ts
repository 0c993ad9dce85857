/**
 * Who wrote an operation is in its id: Loro's peers are numbers of 64 bits, and an actor's is made of its
 * name and the document's. So a change of another actor, or of another document, shows by itself. All
 * ones is a number that Loro keeps for itself; 63 bits are never that.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { PeerID } from "loro-crdt";
import type { Actor, DocumentId } from "../../contract.ts";

const BITS = 63n;

export function peerOf(document: DocumentId, actor: Actor): PeerID {
  const digest = sha256(new TextEncoder().encode(`${document}\n${actor}`));
  return `${new DataView(digest.buffer).getBigUint64(0) >> (64n - BITS)}` as PeerID;
}
