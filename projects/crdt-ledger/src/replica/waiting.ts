/** A change that came, before anything of it takes effect: is it whole, and what must be there first? */
import { decodeImportBlobMeta, type ImportBlobMetadata, type OpId, type PeerID } from "loro-crdt";
import type { Change, DocumentId } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { isActor } from "../model.ts";
import { peerOf } from "./identity.ts";

export interface Waiting {
  readonly change: Change;
  readonly peer: PeerID;
  /** Its operations have the counters from here on. */
  readonly from: number;
  /** The first counter after them. */
  readonly to: number;
  /** The newest that its actor had seen. */
  readonly seen: readonly OpId[];
}

/** @throws `INVALID_CHANGE` */
export function waitingFor(document: DocumentId, change: Change): Waiting {
  const { actor, seq, bytes } = change ?? {};
  if (!isActor(actor) || !Number.isSafeInteger(seq) || seq < 1 || !(bytes instanceof Uint8Array)) {
    throw new LedgerError("INVALID_CHANGE", "This is no change: look at its actor, seq and bytes.");
  }
  const peer = peerOf(document, actor);
  const meta = metaOf(change);
  const starts = meta.partialStartVersionVector.toJSON();
  const ends = meta.partialEndVersionVector.toJSON();
  meta.partialStartVersionVector.free();
  meta.partialEndVersionVector.free();
  const from = starts.get(peer) ?? 0;
  const to = ends.get(peer) ?? 0;
  const isOf = [...starts.keys(), ...ends.keys()].every((writer) => writer === peer);
  if (meta.mode !== "update" || !isOf || to <= from) {
    throw invalidChange(change, `it is not ${actor}'s change of ${document}`);
  }
  return { change, peer, from, to, seen: meta.startFrontiers };
}

function metaOf(change: Change): ImportBlobMetadata {
  try {
    return decodeImportBlobMeta(change.bytes, true);
  } catch (cause) {
    throw invalidChange(change, `it is broken: ${cause}`, cause);
  }
}

export function invalidChange({ actor, seq }: Change, why: string, cause?: unknown): LedgerError {
  return new LedgerError(
    "INVALID_CHANGE",
    `Change ${seq} of ${actor} can't be taken (${why}). Ask whoever sent it for it again.`,
    { cause },
  );
}
