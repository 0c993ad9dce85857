/** One actor's copies of documents. Nothing here talks to anybody: the grader carries the changes. */
import type {
  Change,
  DocumentId,
  Edit,
  Replica,
  ReplicaConfig,
  Version,
  View,
} from "../contract.ts";
import { NotImplemented } from "./errors.ts";

export class MyReplica implements Replica {
  /** Task 5: the `treasurer`. */
  readonly config: ReplicaConfig;

  constructor(config: ReplicaConfig) {
    this.config = config;
  }

  /** Task 1: the board, all of an edit or nothing. Task 5: the ledger. */
  async edit(_document: DocumentId, _edits: readonly Edit[]): Promise<Change> {
    throw new NotImplemented("task 1: do what the edits say");
  }

  /** Task 4. What of it has somebody else changed since? */
  async undo(_document: DocumentId): Promise<Change | null> {
    throw new NotImplemented("task 4: take back this actor's last edit of the board");
  }

  /** Task 1; task 3: what concurrent changes come to. */
  async view(_document: DocumentId): Promise<View> {
    throw new NotImplemented("task 1: what there is to be seen");
  }

  /** Task 5. */
  async escrow(_document: DocumentId, _account: string): Promise<number> {
    throw new NotImplemented("task 5: what this actor may spend");
  }

  /** Task 2. */
  async version(_document: DocumentId): Promise<Version> {
    throw new NotImplemented("task 2: how many changes of each actor are there");
  }

  /** Task 2. */
  async changesSince(_document: DocumentId, _version: Version): Promise<readonly Change[]> {
    throw new NotImplemented("task 2: what somebody else lacks");
  }

  /** Task 2: late, twice, out of order. Task 5: what an actor can't have made. */
  async receive(_document: DocumentId, _changes: readonly Change[]): Promise<void> {
    throw new NotImplemented("task 2: take others' changes");
  }

  /** Task 2. */
  async save(_document: DocumentId): Promise<Uint8Array> {
    throw new NotImplemented("task 2: the document as one piece");
  }

  /** Task 2: late changes must still find what they were made on. */
  async load(_document: DocumentId, _saved: Uint8Array): Promise<void> {
    throw new NotImplemented("task 2: take what another one saved");
  }

  async close(): Promise<void> {}
}
