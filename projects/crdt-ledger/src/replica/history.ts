/** A whole document, change by change, as it was made: for one that came as one piece. */
import type { LoroDoc, OpId, PeerID } from "loro-crdt";
import type { Actor, DocumentId } from "../../contract.ts";
import { type Audited, audit, changesIn, LOG } from "./audit.ts";
import { peerOf } from "./identity.ts";
import type { Origin } from "./ledger.ts";

export interface Made {
  readonly actor: Actor;
  readonly audited: Audited;
  /** Whether its actor had seen something. */
  readonly sees: (origin: Origin) => boolean;
}

/** Each is after those that it had seen. @throws where one is none that a replica makes */
export function* historyOf(document: DocumentId, doc: LoroDoc): Generator<Made> {
  const { changes } = doc.exportJsonUpdates(undefined, undefined, false);
  // Whatever has seen an operation has a higher Lamport number.
  for (const change of changes.toSorted((a, b) => a.lamport - b.lamport)) {
    const past = doc.frontiersToVV(change.deps.map(idOf));
    for (const ops of changesIn(change)) {
      const [first] = ops;
      const actor = first?.container === LOG && "key" in first.content ? first.content.key : "";
      const audited = audit(actor, ops);
      if (!audited || idOf(change.id).peer !== peerOf(document, actor)) {
        throw new Error(`${change.id} is no change of ${actor}`);
      }
      const sees = (origin: Origin) =>
        origin.counter < (past.get(peerOf(document, origin.actor)) ?? 0);
      yield { actor, audited, sees };
    }
  }
}

function idOf(id: string): OpId {
  const [counter, peer] = id.split("@");
  return { counter: Number(counter), peer: peer as PeerID };
}
