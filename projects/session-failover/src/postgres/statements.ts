/**
 * The SQL of the session table. Each operation is one statement, so there is no transaction that a
 * client which dies or hangs in the middle could leave open, holding its locks.
 *
 * Every statement returns exactly one row, also when no session matched, and in it:
 * - `epoch`, the cache epoch in the statement's snapshot (or the one that it made), and `clock_ms`,
 *   the server's time: each answer of PostgreSQL refreshes what the node knows about both.
 *
 * Writes take `$2`, the latest server time at which they may still act (seconds since the epoch), and
 * `$3`, whether to grow the cache epoch. A statement that is delivered late, say by a server or a
 * network that was frozen in between, does nothing: its caller has given up long ago, and the fence
 * that guarded it in Redis may be gone. Rows are always locked in one order, the user's, the session's,
 * the epoch's, so writers can't deadlock.
 */
import type { Statement } from "./database.ts";

const MS = (time: string): string => `(extract(epoch FROM ${time}) * 1000)::float8`;
const IN_MS = (parameter: string): string =>
  `date_trunc('milliseconds', now()) + ${parameter}::float8 * interval '1 millisecond'`;
const IN_TIME = "clock_timestamp() < to_timestamp($2::float8)";
const SESSION = `user_id, data, version, ${MS("expires_at")} AS expires_ms`;
const CLOCK = `${MS("clock_timestamp()")} AS clock_ms`;

/**
 * `change` is the data-modifying statement; it returns the columns of a session. What it needs done
 * first is a common table expression before it, and it reads from that: nothing else orders the two.
 */
function write(name: string, repeatable: boolean, change: string, before = ""): Statement {
  return {
    name,
    repeatable,
    text: `
      WITH ${before} written AS (${change}),
      bumped AS (
        UPDATE cache_epoch SET value = value + 1
        WHERE $3::boolean AND (SELECT count(*) FROM written) >= 0
        RETURNING value
      )
      SELECT written.*, coalesce(bumped.value, cache_epoch.value)::float8 AS epoch, ${CLOCK},
             NOT (${IN_TIME}) AS late
      FROM cache_epoch LEFT JOIN written ON true LEFT JOIN bumped ON true`,
  };
}

export const read: Statement = {
  name: "read",
  repeatable: true,
  text: `
    SELECT user_id, data, version, ${MS("expires_at")} AS expires_ms,
           value::float8 AS epoch, ${CLOCK}
    FROM cache_epoch LEFT JOIN live_sessions ON token_hash = $1`,
};

export const readEpoch: Statement = {
  name: "read-epoch",
  repeatable: true,
  text: `SELECT value::float8 AS epoch, ${CLOCK} FROM cache_epoch`,
};

/** Growing it twice is as good as once. */
export const growEpoch: Statement = {
  name: "grow-epoch",
  repeatable: true,
  text: `UPDATE cache_epoch SET value = value + 1 RETURNING value::float8 AS epoch, ${CLOCK}`,
};

/** Makes sure of the user `$4`; two nodes may do so for the same one at once. */
const OWNED = `owned AS (INSERT INTO users (id) SELECT $4 WHERE ${IN_TIME} ON CONFLICT DO NOTHING RETURNING id),`;
const AFTER_OWNED = "FROM (SELECT count(*) FROM owned) AS done";

/** `$4` user, `$5` device, `$6` data, `$7` time to live in milliseconds */
export const create = write(
  "create",
  false,
  `INSERT INTO sessions (token_hash, user_id, device, data, expires_at)
   SELECT $1, $4, $5, $6::json, ${IN_MS("$7")} ${AFTER_OWNED} WHERE ${IN_TIME}
   RETURNING ${SESSION}`,
  OWNED,
);

/** `$4` data, `$5` expected version. Not repeatable: the second run would see the first one's version. */
export const update = write(
  "update",
  false,
  `UPDATE sessions SET data = $4::json, version = version + 1
   WHERE token_hash = $1 AND expires_at > now() AND version = $5 AND ${IN_TIME}
   RETURNING ${SESSION}`,
);

/** `$4` time to live in milliseconds */
export const touch = write(
  "touch",
  true,
  `UPDATE sessions SET expires_at = ${IN_MS("$4")}
   WHERE token_hash = $1 AND expires_at > now() AND ${IN_TIME}
   RETURNING ${SESSION}`,
);

/** `$4` hash of the new id */
export const rotate = write(
  "rotate",
  false,
  `UPDATE sessions SET token_hash = $4
   WHERE token_hash = $1 AND expires_at > now() AND ${IN_TIME}
   RETURNING ${SESSION}`,
);

export const destroy = write(
  "destroy",
  true,
  `DELETE FROM sessions WHERE token_hash = $1 AND ${IN_TIME} RETURNING ${SESSION}`,
);

/** When an ended session ended: in the past even for a reader whose now() is a moment old. */
const ENDED = "now() - interval '1 minute'";

/**
 * `$4` user, `$5` device, `$6` data, `$7` time to live in milliseconds, `$8` who chose the id. The row
 * of a session that is over wins over the save (see the migration 002).
 */
export const put = write(
  "put",
  false,
  `INSERT INTO sessions AS old (token_hash, user_id, device, data, expires_at, store)
   SELECT $1, $4, $5, $6::json, ${IN_MS("$7")}, $8 ${AFTER_OWNED} WHERE ${IN_TIME}
   ON CONFLICT (token_hash) DO UPDATE
   SET user_id = excluded.user_id, device = excluded.device, data = excluded.data,
       expires_at = excluded.expires_at, version = old.version + 1
   WHERE old.expires_at > now() AND old.store = excluded.store
   RETURNING ${SESSION}`,
  OWNED,
);

/** `$4` who chose the id, `$5` whose an ended session is */
export const end = write(
  "end",
  true,
  `INSERT INTO sessions AS old (token_hash, user_id, device, data, expires_at, store)
   SELECT $1, $5, '', '{}', ${ENDED}, $4 WHERE ${IN_TIME}
   ON CONFLICT (token_hash) DO UPDATE
   SET user_id = excluded.user_id, device = '', data = excluded.data,
       expires_at = least(old.expires_at, excluded.expires_at), store = excluded.store
   RETURNING ${SESSION}`,
);

/** `$1` whose sessions, `$4` whose an ended session is */
export const clear = write(
  "clear",
  true,
  `UPDATE sessions SET user_id = $4, device = '', data = '{}', expires_at = ${ENDED}
   WHERE store = $1 AND expires_at > now() AND ${IN_TIME}
   RETURNING token_hash`,
);

export const devicesOfUser: Statement = {
  name: "devices-of-user",
  repeatable: true,
  text: `
    SELECT device, ${MS("date_trunc('milliseconds', created_at)")} AS created_ms,
           ${MS("expires_at")} AS expires_ms
    FROM live_sessions WHERE user_id = $1 ORDER BY created_at, token_hash`,
};

export const hashesOfUser: Statement = {
  name: "hashes-of-user",
  repeatable: true,
  text: "SELECT token_hash FROM sessions WHERE user_id = $1",
};

/**
 * `$1` user. Rows are locked in one order, so that two of these can't deadlock; and they are deleted as
 * the user's, not by their hashes: a row that had to be waited for may come with the new hash of a
 * rotation, under which the snapshot of this statement knows no row.
 */
export const destroyAll = write(
  "destroy-all",
  false,
  `DELETE FROM sessions WHERE user_id = $1 AND ${IN_TIME} AND (SELECT count(*) FROM (
     SELECT FROM sessions WHERE user_id = $1 ORDER BY created_at, token_hash FOR UPDATE
   ) AS locked) >= 0
   RETURNING token_hash, expires_at > now() AS live`,
);

/** Sessions that ended a while ago, a bounded number of them, without waiting for anybody. */
export const purge: Statement = {
  name: "purge",
  repeatable: true,
  text: `
    DELETE FROM sessions WHERE token_hash IN (
      SELECT token_hash FROM sessions WHERE expires_at < now() - interval '1 hour'
      LIMIT 500 FOR UPDATE SKIP LOCKED)`,
};
