import { type CheckContext, checksFor } from "@db-katas/grading";
import type { Actor, Replica, Submission } from "../contract.ts";

export type LedgerContext = CheckContext<Submission>;

/** Checks of servers start from a database that the submission's `migrate` has prepared. */
export const check = checksFor<Submission>({
  postgres: { build: (submission, url) => submission.migrate(url) },
});

/** Who may issue money, in every check. */
export const TREASURER: Actor = "treasury";

/** A replica in a process of its own; the node is named like the actor, unless it is named otherwise. */
export async function startReplica(
  t: LedgerContext,
  actor: Actor,
  { name = actor, treasurer = TREASURER } = {},
): Promise<Replica> {
  return (await t.start(name, { role: "replica", name, actor, treasurer })) as Replica;
}
