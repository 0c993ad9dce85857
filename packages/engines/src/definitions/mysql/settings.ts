import { password, type RunContext } from "../../context.ts";

/** The one administrator; its name says that it isn't the submission's. */
export const adminName = "kata_admin";

export function adminPassword(context: RunContext): string {
  return password(context, "mysql admin");
}

/** Statements that make the administrator, for a server that has nobody yet. */
export function administrator(context: RunContext): string {
  return [
    `CREATE OR REPLACE USER ${adminName}@'%' IDENTIFIED BY '${adminPassword(context)}';`,
    `GRANT ALL ON *.* TO ${adminName}@'%' WITH GRANT OPTION;`,
  ].join("\n");
}

/** What data files look like from their first byte; small, because every server starts as a copy. */
export const layout: readonly string[] = [
  "--innodb-data-file-path=ibdata1:4M:autoextend",
  "--innodb-autoextend-increment=1",
  "--innodb-temp-data-file-path=ibtmp1:4M:autoextend",
  "--innodb-log-file-size=16M",
];

/**
 * Quick, but with nothing given up that a check could see. At 2, a commit is with the operating
 * system before it is acknowledged: a killed server keeps it, a machine that goes down may not
 * (MariaDB manual, `innodb_flush_log_at_trx_commit`). The log of changes by row is what readers of
 * changes (Debezium) take.
 */
export const settings: readonly string[] = [
  ...layout,
  "--innodb-flush-log-at-trx-commit=2",
  "--sync-binlog=0",
  "--log-bin=binlog",
  "--binlog-format=ROW",
  "--binlog-row-image=FULL",
  // What a function changes is logged as rows, so that whoever writes one needn't be trusted with more.
  "--log-bin-trust-function-creators=ON",
  "--server-id=1",
  "--innodb-buffer-pool-size=64M",
  "--max-connections=200",
  "--skip-name-resolve",
  "--character-set-server=utf8mb4",
  "--default-time-zone=+00:00",
];
