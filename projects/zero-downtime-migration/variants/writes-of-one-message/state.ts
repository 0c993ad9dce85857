/** What both stores say about themselves and about a row. */
import { createHash } from "node:crypto";
import type { Phase, StoreName } from "../../contract.ts";
import { type Columns, meant } from "./rows.ts";

export interface State {
  me: StoreName;
  owner: StoreName;
  phase: Phase;
  epoch: number;
  attempt: number;
}
export interface Row extends Columns {
  state: State;
  id: string;
  there: boolean;
  version: string;
  noted: boolean;
  copied_in: number;
  op: string | null;
}

export const phases: readonly Phase[] = [
  "legacy",
  "copying",
  "shadow",
  "canary-5",
  "canary-25",
  "canary-50",
  "canary-100",
  "modern",
];
export const other = (s: StoreName): StoreName => (s === "legacy" ? "modern" : "legacy");
export const ownerIn = (p: Phase): StoreName => (p === "modern" ? "modern" : "legacy");
export const share = (p: Phase) => (p.startsWith("canary-") ? Number(p.slice(7)) : 0);
export const bucket = (id: string) => createHash("md5").update(id).digest().readUInt32BE(0) % 100;
export const account = (store: StoreName, row: Row | undefined) =>
  row?.there ? meant(store, row.id, row) : null;
