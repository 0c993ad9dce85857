/** A replica: an actor's copies of documents, each made when it is first named. */
import type { Change, Replica, ReplicaConfig } from "../../contract.ts";
import { LedgerError } from "../errors.ts";
import { isDocumentId } from "../model.ts";
import { LedgerDocument } from "./document.ts";

export function startReplica({ actor, treasurer }: ReplicaConfig): Replica {
  const documents = new Map<string, LedgerDocument>();
  const open = (document: string) => {
    if (!isDocumentId(document)) {
      throw new LedgerError("INVALID_EDIT", `No document is called ${JSON.stringify(document)}.`);
    }
    const found = documents.get(document) ?? new LedgerDocument({ document, actor, treasurer });
    documents.set(document, found);
    return found;
  };
  return {
    edit: async (document, edits) => open(document).edit(edits),
    undo: async (document) => open(document).undo(),
    view: async (document) => open(document).view(),
    escrow: async (document, account) => open(document).escrow(account),
    version: async (document) => open(document).version(),
    changesSince: async (document, version) => open(document).changesSince(version),
    receive: async (document, changes: readonly Change[]) => open(document).receive(changes),
    save: async (document) => open(document).save(),
    load: async (document, saved) => open(document).load(saved),
    async close() {
      for (const document of documents.values()) document.close();
      documents.clear();
    },
  };
}
