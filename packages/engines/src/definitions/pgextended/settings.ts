import type { RunContext } from "../../context.ts";
import { settings as plain } from "../postgres/settings.ts";

/** The one database of a server, known before there is a server: pg_cron must be told at its start. */
export function databaseOf({ id }: Pick<RunContext, "id">): string {
  return `kata_${id}`;
}

/** Besides PostgreSQL's own. */
export function settingsFor(context: RunContext): Readonly<Record<string, string>> {
  return {
    shared_preload_libraries: `${plain.shared_preload_libraries},pg_cron`,
    "cron.database_name": databaseOf(context),
    // Else a job is a connection of its role's over TCP, which would need a password (pg_cron's README).
    "cron.use_background_workers": "on",
  };
}
