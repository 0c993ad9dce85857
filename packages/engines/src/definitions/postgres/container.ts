import type { ContainerRecipe } from "../../definition.ts";
import { adminName, settings } from "./settings.ts";

/** Inside of its container the server listens on every interface; the port is published on 127.0.0.1 only. */
const own = new Set(["listen_addresses", "unix_socket_directories"]);

export const container: ContainerRecipe = {
  port: 5432,
  stopSeconds: 10,
  describe: (secret) => ({
    env: {
      POSTGRES_USER: adminName,
      POSTGRES_PASSWORD: secret,
      POSTGRES_DB: "postgres",
      TZ: "UTC",
    },
    command: [
      "postgres",
      ...Object.entries(settings).flatMap(([key, value]) =>
        own.has(key) ? [] : ["-c", `${key}=${value}`],
      ),
    ],
    files: [],
  }),
  adminUrl: (secret, port) => `postgres://${adminName}:${secret}@127.0.0.1:${port}/postgres`,
};
