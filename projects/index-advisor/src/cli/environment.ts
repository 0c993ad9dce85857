import { connect, Deadline } from "../database.ts";
import type { Environment } from "../report/report.ts";
import type { Settings } from "./program.ts";
import { risksOf } from "./risks.ts";

const TOLD = [
  "shared_buffers",
  "work_mem",
  "effective_cache_size",
  "random_page_cost",
  "seq_page_cost",
  "jit",
  "max_parallel_workers_per_gather",
];

/** @param copy what is measured on @throws AdvisorError */
export async function environmentOf(
  copy: string,
  { target, budgetBytes }: Settings,
  source: string,
): Promise<Environment> {
  const deadline = new Deadline(30_000);
  await using session = await connect("scratch", copy, { deadline, readOnly: true });
  const { rows } = await session.client.query<{
    server: string;
    bytes: string;
    settings: Record<string, string>;
  }>(
    `SELECT current_setting('server_version') AS server, pg_database_size(current_database()) AS bytes,
       (SELECT jsonb_object_agg(name, current_setting(name)) FROM unnest($1::text[]) AS name) AS settings`,
    [TOLD],
  );
  const [{ server, bytes, settings } = { server: "", bytes: "0", settings: {} }] = rows;
  return {
    at: new Date(),
    database: decodeURIComponent(new URL(target).pathname.slice(1)),
    server: server.replace(/ .*/, ""),
    source,
    budgetBytes,
    databaseBytes: Number(bytes),
    settings,
    risks: await risksOf(session.client),
  };
}
