/** The one superuser; its name says that it isn't the submission's. */
export const adminName = "kata_admin";

/**
 * Quick, but with nothing given up that a check could see. Without fsync, what is acknowledged is
 * lost only when the machine goes down; a killed server's writes are with the operating system already
 * (PostgreSQL manual, 19.5.1, `fsync`).
 */
export const settings: Readonly<Record<string, string>> = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "on",
  wal_level: "logical",
  max_connections: "200",
  shared_buffers: "32MB",
  max_wal_size: "256MB",
  min_wal_size: "32MB",
  shared_preload_libraries: "pg_stat_statements",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  logging_collector: "off",
  log_timezone: "UTC",
  timezone: "UTC",
  lc_messages: "C",
};
