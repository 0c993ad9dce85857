/** PostgreSQL that takes its time for a commit: a row is there with all that it has, and nobody may see it yet. */
import pg from "pg";
import type { Actor } from "../contract.ts";
import type { LedgerContext } from "./kit.ts";

/** Any number that nobody else locks. */
const LOCK = 40_961;

export interface LateCommit extends AsyncDisposable {
  /** From now on, commits take no longer than they do. */
  release(): Promise<void>;
}

/**
 * Has every commit wait that stores a change of an actor's. What the messages are that lead to it, how many, and
 * what else a server asks meanwhile, doesn't matter: a trigger of the table does it, at the end of the transaction.
 */
export async function commitLate(t: LedgerContext, actor: Actor): Promise<LateCommit> {
  const client = new pg.Client({ connectionString: t.lease("postgres").adminUrl });
  await client.connect();
  await client.query(`SELECT pg_advisory_lock(${LOCK})`);
  await client.query(`CREATE OR REPLACE FUNCTION public.wait_for_grader() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(${LOCK}); RETURN NULL; END $$`);
  await client.query(`CREATE CONSTRAINT TRIGGER wait_for_grader AFTER INSERT ON operations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.actor = ${client.escapeLiteral(actor)})
    EXECUTE FUNCTION public.wait_for_grader()`);
  let isHeld = true;
  const release = async () => {
    if (!isHeld) return;
    isHeld = false;
    await client.query(`SELECT pg_advisory_unlock(${LOCK})`);
    // This waits for those that are under way.
    await client.query("DROP TRIGGER wait_for_grader ON operations");
  };
  return {
    release,
    async [Symbol.asyncDispose]() {
      await release().finally(() => client.end());
    },
  };
}
