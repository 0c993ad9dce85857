/**
 * Who wrote an operation is in its id: Loro's peers are numbers of 64 bits, and an actor's is made of its
 * name and the document's. So a change of another actor, or of another document, shows by itself. All
 * ones is a number that Loro keeps for itself; 63 bits are never that.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import crc32 from "crc/calculators/crc32";
import type { PeerID } from "loro-crdt";
import type { Actor, DocumentId } from "../../contract.ts";

interface Identity {
  readonly peer: PeerID;
  /** Of both names: what the checksums of its changes begin with. */
  readonly checksum: number;
}

const BITS = 63n;

/** How many are remembered: enough for all who are on a few busy documents. */
const MOST_KNOWN = 10_000;
const known = new Map<DocumentId, Map<Actor, Identity>>();
let knownCount = 0;

export function peerOf(document: DocumentId, actor: Actor): PeerID {
  return identityOf(document, actor).peer;
}

/** This is asked several times for each change, so that the names aren't put together to look them up. */
export function identityOf(document: DocumentId, actor: Actor): Identity {
  return known.get(document)?.get(actor) ?? remember(document, actor);
}

function remember(document: DocumentId, actor: Actor): Identity {
  if (knownCount >= MOST_KNOWN) {
    known.clear();
    knownCount = 0;
  }
  const name = new TextEncoder().encode(`${document}\n${actor}`);
  const digest = sha256(name);
  const number = new DataView(digest.buffer).getBigUint64(0) >> (64n - BITS);
  const identity = { peer: `${number}` as PeerID, checksum: crc32(name) };
  const actors = known.get(document) ?? new Map<Actor, Identity>();
  known.set(document, actors.set(actor, identity));
  knownCount += 1;
  return identity;
}
