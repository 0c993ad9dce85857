/** A whole document as one piece, and the changes in it. */
import * as A from "@automerge/automerge";
import type { Genesis, Root, Writer } from "./codec.ts";
import { LedgerError } from "./errors.ts";

/** Whether Automerge can read all of a change; it waits for what that had seen, and goes. */
export function isReadable(change: Uint8Array): boolean {
  try {
    const [doc] = A.applyChanges(A.init<Root>(), [change]);
    A.free(doc);
    return true;
  } catch {
    return false;
  }
}

/** @param writer who goes on with it */
export function documentOf(
  { bytes }: Genesis,
  changes: readonly Uint8Array[],
  writer?: Writer,
): A.Doc<Root> {
  const [doc] = A.applyChanges(A.init<Root>(writer === undefined ? {} : { actor: writer }), [
    bytes,
    ...changes,
  ]);
  return doc;
}

export function pieceOf(genesis: Genesis, changes: readonly Uint8Array[]): Uint8Array {
  const doc = documentOf(genesis, changes);
  try {
    return A.save(doc);
  } finally {
    A.free(doc);
  }
}

/** @throws LedgerError `INVALID_CHANGE` where it is broken, or empty */
export function changesIn(piece: Uint8Array): Uint8Array[] {
  try {
    const doc = A.load<Root>(piece);
    const changes = A.getAllChanges(doc);
    A.free(doc);
    if (changes.length > 0) return changes;
  } catch (cause) {
    throw notSaved(cause);
  }
  throw notSaved();
}

export function notSaved(cause?: unknown): LedgerError {
  return new LedgerError("INVALID_CHANGE", "No replica saved this. Ask for it again.", { cause });
}
