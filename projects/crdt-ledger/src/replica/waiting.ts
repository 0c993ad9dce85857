/** A change that came, before anything of it takes effect: is it whole, and what must be there first? */
import type { PeerID } from "loro-crdt";
import type { Change, DocumentId } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { isActor } from "../model.ts";
import { decode, type Operations } from "./encoding.ts";
import { peerOf } from "./identity.ts";

export interface Waiting extends Operations {
  readonly change: Change;
  readonly peer: PeerID;
}

/** @throws `INVALID_CHANGE` */
export function waitingFor(document: DocumentId, change: Change): Waiting {
  const { actor, seq, bytes } = change ?? {};
  if (!isActor(actor) || !Number.isSafeInteger(seq) || seq < 1 || !(bytes instanceof Uint8Array)) {
    throw new LedgerError("INVALID_CHANGE", "This is no change: look at its actor, seq and bytes.");
  }
  const operations = decode(document, change);
  if (!operations) throw invalidChange(change, `it is broken, or not this one of ${document}`);
  return { change, peer: peerOf(document, actor), ...operations };
}

export function invalidChange({ actor, seq }: Change, why: string, cause?: unknown): LedgerError {
  return new LedgerError(
    "INVALID_CHANGE",
    `Change ${seq} of ${actor} can't be taken (${why}). Ask whoever sent it for it again.`,
    { cause },
  );
}
