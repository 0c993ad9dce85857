/** One statement for each operation, so nothing is ever half done. Times by PostgreSQL's clock. */
import type { Statement } from "../../src/postgres/database.ts";

const MS = (time: string): string => `(extract(epoch FROM ${time}) * 1000)::float8`;
const FROM_NOW = (parameter: string): string =>
  `date_trunc('milliseconds', now()) + ${parameter}::float8 * interval '1 millisecond'`;

export const META = `user_id, version, ${MS("expires_at")} AS expires_ms`;
export const LIVE = "token_hash = $1 AND expires_at > now()";
const SESSION = `${META}, data`;

function once(name: string, text: string): Statement {
  return { name, text, repeatable: false };
}

/** For what may run twice, should the connection die in between. */
export function repeatable(name: string, text: string): Statement {
  return { name, text, repeatable: true };
}

export const create = once(
  "create",
  `WITH owner AS (INSERT INTO users (id) VALUES ($2) ON CONFLICT DO NOTHING)
   INSERT INTO sessions (token_hash, user_id, device, data, expires_at)
   VALUES ($1, $2, $3, $4, ${FROM_NOW("$5")}) RETURNING ${SESSION}`,
);
export const read = repeatable("read", `SELECT ${SESSION} FROM sessions WHERE ${LIVE}`);
export const update = once(
  "update",
  `UPDATE sessions SET data = $2, version = version + 1
   WHERE ${LIVE} AND version = $3 RETURNING ${SESSION}`,
);
export const touch = repeatable(
  "touch",
  `UPDATE sessions SET expires_at = ${FROM_NOW("$2")} WHERE ${LIVE} RETURNING ${SESSION}`,
);
export const rotate = once(
  "rotate",
  `UPDATE sessions SET token_hash = $2 WHERE ${LIVE} RETURNING ${SESSION}`,
);
export const destroy = repeatable("destroy", "DELETE FROM sessions WHERE token_hash = $1");
export const destroyAll = once(
  "destroy-all",
  // By user, not by the hashes found: a rotation may have changed those while this waited for the row.
  `DELETE FROM sessions WHERE user_id = $1 AND (SELECT count(*) FROM (
     SELECT FROM sessions WHERE user_id = $1 ORDER BY seq FOR UPDATE) AS locked) >= 0
   RETURNING expires_at > now() AS live`,
);
export const list = repeatable(
  "list",
  `SELECT device, ${MS("created_at")} AS created_ms, ${MS("expires_at")} AS expires_ms
   FROM sessions WHERE user_id = $1 AND expires_at > now() ORDER BY seq`,
);
