/**
 * Which characters a text has. Loro tells the id of one at a time, and looks for it from the start of its run;
 * but an operation that removes characters says of all of them which they were.
 */
import type { JsonOp, JsonOpID, LoroDoc, LoroText, PeerID } from "loro-crdt";

export interface CharacterId {
  readonly peer: PeerID;
  readonly counter: number;
}

/** Characters beside one another, whose counters follow each other; to Loro each is a code point. */
export interface Run extends CharacterId {
  readonly length: number;
}

/** What a peer's operations from one on have removed from a text, from left to right. */
export function takenOut(
  doc: LoroDoc,
  { peer, from }: { readonly peer: PeerID; readonly from: number },
): Run[] {
  const length = (doc.oplogVersion().get(peer) ?? from) - from;
  const ops = doc.exportJsonInIdSpan({ peer, counter: from, length }).flatMap((json) => json.ops);
  // What has other ids is taken out from the right to the left, so that positions are those of before.
  return ops
    .flatMap(removal)
    .sort((a, b) => a.at - b.at)
    .map(({ run }) => run);
}

function removal({ content }: JsonOp): { readonly at: number; readonly run: Run }[] {
  if (content.type !== "delete" || !("start_id" in content)) return [];
  const { pos, len, start_id: start } = content;
  const at = len < 0 ? pos + len + 1 : pos;
  return [{ at, run: { ...idOf(start), length: Math.abs(len) } }];
}

/** All characters that a text has: what a copy of the document says that it removes. */
export function charactersOf(doc: LoroDoc, text: LoroText): Run[] {
  if (text.length === 0) return [];
  const copy = doc.fork();
  try {
    const same = copy.getContainerById(text.id) as LoroText;
    same.delete(0, same.length);
    return takenOut(copy, { peer: copy.peerIdStr, from: 0 });
  } finally {
    copy.free();
  }
}

function idOf(id: JsonOpID): CharacterId {
  const [counter, peer] = id.split("@");
  return { counter: Number(counter), peer: peer as PeerID };
}
