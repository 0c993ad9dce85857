import type { ContainerRecipe } from "../../definition.ts";
import { adminName, adminPassword } from "./settings.ts";

export const container: ContainerRecipe = {
  port: 8123,
  data: "/var/lib/clickhouse",
  stopSeconds: 10,
  describe: (context) => ({
    env: {
      CLICKHOUSE_USER: adminName,
      CLICKHOUSE_PASSWORD: adminPassword(context),
      CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT: "1",
      TZ: "UTC",
    },
    // The image's entry point hands these to the server; what follows the dashes stands above its
    // files of settings. Without the first, the server takes nine tenths of the machine's memory.
    command: [
      "--",
      "--max_server_memory_usage=2000000000",
      "--mark_cache_size=67108864",
      "--uncompressed_cache_size=0",
      "--logger.level=warning",
    ],
  }),
  adminUrl: (context, port) => `http://${adminName}:${adminPassword(context)}@127.0.0.1:${port}/`,
};
