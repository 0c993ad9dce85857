/**
 * Connections with the default settings of their clients. Task 6: what do these defaults do when a
 * server hangs, and when a connection breaks that somebody is using?
 */
import { Redis } from "ioredis";
import pg from "pg";

export function openPostgres(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url });
  // Without a listener, an idle connection that breaks ends the process.
  pool.on("error", (error) => console.error("PostgreSQL:", error.message));
  return pool;
}

export function openRedis(url: string): Redis {
  const redis = new Redis(url);
  redis.on("error", (error) => console.error("Redis:", error.message));
  return redis;
}
