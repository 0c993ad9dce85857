/**
 * The copy's planner is asked as the target's would be: `ALTER DATABASE … SET` and `ALTER ROLE … SET` are part of
 * neither a dump nor a template, and another server has another configuration.
 */
import type { Session } from "../database.ts";
import { isConnectionLoss } from "../errors.ts";

/** What plans, and the meaning of a text, depend on. */
const DECISIVE = `
SELECT name, current_setting(name) AS value FROM pg_settings
WHERE context IN ('user', 'superuser') AND (category LIKE 'Query Tuning%'
  OR name IN ('search_path', 'TimeZone', 'DateStyle', 'IntervalStyle', 'default_text_search_config', 'work_mem',
    'hash_mem_multiplier', 'max_parallel_workers_per_gather', 'effective_io_concurrency'))`;

export interface Setting {
  readonly name: string;
  readonly value: string;
}

export interface Difference extends Setting {
  /** What it is on the target. */
  readonly wanted: string;
  /** The copy's server, or its role's rights, don't allow it. */
  readonly refused: boolean;
}

/** Those of the session's role. */
export async function settingsOf({ client }: Session): Promise<readonly Setting[]> {
  return (await client.query<Setting>(DECISIVE)).rows;
}

/** Sets, for this session, what is different there. */
export async function adopt(
  scratch: Session,
  there: readonly Setting[],
): Promise<readonly Difference[]> {
  const values = new Map((await settingsOf(scratch)).map(({ name, value }) => [name, value]));
  const differences: Difference[] = [];
  for (const { name, value: wanted } of there) {
    const value = values.get(name);
    if (value === undefined || value === wanted) continue;
    const refused = !(await isSet(scratch, name, wanted));
    differences.push({ name, value, wanted, refused });
  }
  return differences;
}

async function isSet({ client }: Session, name: string, value: string): Promise<boolean> {
  try {
    await client.query("SELECT set_config($1, $2, false)", [name, value]);
    return true;
  } catch (error) {
    if (isConnectionLoss(error)) throw error;
    return false;
  }
}
