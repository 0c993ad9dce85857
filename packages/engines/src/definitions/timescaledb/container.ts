import type { ContainerRecipe } from "../../definition.ts";
import { container as postgres } from "../postgres/container.ts";
import { settings } from "./settings.ts";

/** The image is PostgreSQL's with an extension (timescale/timescaledb-docker). */
export const container: ContainerRecipe = {
  ...postgres,
  describe(context, published) {
    const { env, command } = postgres.describe(context, published);
    return {
      env: {
        ...env,
        TIMESCALEDB_TELEMETRY: "off",
        // It would claim shares of the machine's memory (docker-entrypoint-initdb.d/001_timescaledb_tune.sh).
        NO_TS_TUNE: "true",
      },
      command: [
        ...command,
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
    };
  },
};
