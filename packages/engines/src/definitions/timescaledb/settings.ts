import { settings as plain } from "../postgres/settings.ts";

/** Besides PostgreSQL's own. */
export const settings: Readonly<Record<string, string>> = {
  shared_preload_libraries: `timescaledb,${plain.shared_preload_libraries}`,
  // Each namespace has a worker of its own, for policies, and each needs a place.
  "timescaledb.max_background_workers": "64",
  max_worker_processes: "80",
  "timescaledb.telemetry_level": "off",
};
