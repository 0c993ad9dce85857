/** A whole document, change by change, as it was made: for one that came as one piece. */
import type { JsonChange, JsonOp, LoroDoc, OpId, PeerID } from "loro-crdt";
import type { Actor, DocumentId } from "../../contract.ts";
import { type Audited, audit, changesIn, LOG } from "./audit.ts";
import { peerOf } from "./identity.ts";
import type { Origin } from "./ledger.ts";

export interface Made {
  readonly actor: Actor;
  /** Of its first operation. */
  readonly id: OpId;
  readonly audited: Audited;
  /** Whether its actor had seen something. */
  readonly sees: (origin: Origin) => boolean;
}

/** Each is after those that it had seen, in an order that is the same for all. @throws where one is none that a replica makes */
export function* historyOf(document: DocumentId, doc: LoroDoc): Generator<Made> {
  const { changes } = doc.exportJsonUpdates(undefined, undefined, false);
  for (const { peer, deps, ops } of whole(changes)) {
    const [first] = ops;
    const past = doc.frontiersToVV(deps.map(idOf));
    const actor = first?.container === LOG && "key" in first.content ? first.content.key : "";
    const audited = audit(actor, ops);
    if (!first || !audited || peer !== peerOf(document, actor)) {
      throw new Error(`${first?.counter}@${peer} is no change of ${actor}`);
    }
    const sees = (origin: Origin) =>
      origin.counter < (past.get(peerOf(document, origin.actor)) ?? 0);
    yield { actor, id: { peer, counter: first.counter }, audited, sees };
  }
}

interface Whole {
  readonly peer: PeerID;
  readonly lamport: number;
  readonly deps: readonly string[];
  readonly ops: JsonOp[];
}

/** Loro's changes are not ours: it joins some that follow each other, and tells long ones in pieces. */
function whole(changes: readonly JsonChange[]): Whole[] {
  const found: Whole[] = [];
  const newest = new Map<PeerID, Whole>();
  for (const change of changes.toSorted((a, b) => a.lamport - b.lamport)) {
    const { peer, counter } = idOf(change.id);
    for (const ops of changesIn(change)) {
      const [first] = ops;
      const begun = newest.get(peer);
      if (begun && first?.container !== LOG) {
        for (const op of ops) begun.ops.push(op);
        continue;
      }
      const lamport = change.lamport + (first?.counter ?? counter) - counter;
      const one = { peer, lamport, deps: change.deps, ops };
      newest.set(peer, one);
      found.push(one);
    }
  }
  // Whatever has seen an operation has a higher Lamport number.
  return found.sort((a, b) => a.lamport - b.lamport || (a.peer < b.peer ? -1 : 1));
}

function idOf(id: string): OpId {
  const [counter, peer] = id.split("@");
  return { counter: Number(counter), peer: peer as PeerID };
}
