/** What nodes are told, and what the judge allows on top. All in milliseconds. */

/** What a call may take. */
export const BUDGET_MS = 300;
/** S: how long a write that Redis did not confirm may stay unseen on other nodes. */
export const STALENESS_MS = 500;
/** Room for a busy machine beyond the budget. What hangs in a schedule hangs for longer than both. */
export const SLACK_MS = 400;
/**
 * After a fault, nodes may take so long until they use Redis again, and until then Redis may confirm
 * nothing; a slower way back is no mistake.
 */
export const FAIL_BACK_MS = 2_500;
/** A write that took so long may have been given up on by its node's Redis client: the machine's doing. */
export const SLOW_WRITE_MS = 40;
/** More calls than this share that are refused while PostgreSQL lives: users are turned away. */
export const TURNED_AWAY = 0.05;
