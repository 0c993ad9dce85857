/**
 * Who wrote an operation is in its id: Loro's peers are numbers of 64 bits, and an actor's is made of its
 * name and the document's. So a change of another actor, or of another document, shows by itself. All
 * ones is a number that Loro keeps for itself; 63 bits are never that.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { PeerID } from "loro-crdt";
import type { Actor, DocumentId } from "../../contract.ts";

const BITS = 63n;

/** How many are remembered: enough for all who are on a few busy documents. */
const MOST_KNOWN = 10_000;
const known = new Map<string, PeerID>();

export function peerOf(document: DocumentId, actor: Actor): PeerID {
  const name = `${document}\n${actor}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  if (known.size >= MOST_KNOWN) known.clear();
  const peer = digestOf(name);
  known.set(name, peer);
  return peer;
}

function digestOf(name: string): PeerID {
  const digest = sha256(new TextEncoder().encode(name));
  return `${new DataView(digest.buffer).getBigUint64(0) >> (64n - BITS)}` as PeerID;
}
