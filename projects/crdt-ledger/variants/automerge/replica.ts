/** An actor's copies of documents, each made when it is first named. */
import type { DocumentId, Replica, ReplicaConfig } from "../../contract.ts";
import { BoardDocument } from "./document.ts";
import { invalidEdit } from "./errors.ts";
import { name } from "./values.ts";

export function startReplica({ actor, treasurer }: Omit<ReplicaConfig, "role" | "name">): Replica {
  const documents = new Map<DocumentId, BoardDocument>();
  const at = (document: DocumentId) => {
    const found = documents.get(document);
    if (found) return found;
    if (!name.safeParse(document).success) throw invalidEdit("that names no document");
    const made = new BoardDocument({ document, actor, treasurer });
    documents.set(document, made);
    return made;
  };
  return {
    edit: async (document, edits) => at(document).edit(edits),
    undo: async (document) => at(document).undo(),
    view: async (document) => at(document).view(),
    escrow: async (document, account) => at(document).escrow(account),
    version: async (document) => at(document).version(),
    changesSince: async (document, version) => at(document).changesSince(version),
    receive: async (document, changes) => at(document).receive(changes),
    save: async (document) => at(document).save(),
    load: async (document, piece) => at(document).load(piece),
    close: async () => documents.clear(),
  };
}
