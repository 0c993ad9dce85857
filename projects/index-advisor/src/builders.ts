/**
 * For a `WITH`: tables that somebody could be building an index of at this moment, by object id, and a process that
 * could be at it. Materialized, because each look at `pg_locks` stops all who lock for a moment.
 *
 * Concurrent builds of every kind have this lock on the table from their beginning to their end, and who has
 * which lock everybody may see; `pg_stat_progress_create_index` names the index only to those who may read the
 * statistics of its builder, and not those that REINDEX has made and not yet come to. Who vacuums has the same
 * lock, and can't be told apart, but for the server itself, which is nobody (autovacuum: no `usesysid`).
 */
export const BUILDERS = `builders AS MATERIALIZED (
  SELECT l.relation, min(l.pid) AS pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
    AND l.pid <> pg_backend_pid() AND a.usesysid IS NOT NULL
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  GROUP BY l.relation)`;
