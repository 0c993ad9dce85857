import { password } from "../../context.ts";
import type { ContainerRecipe } from "../../definition.ts";
import { adminName, settings } from "./settings.ts";

/** Inside of its container; outside, the port is published on 127.0.0.1 only. */
const { unix_socket_directories: _, ...others } = settings;
const inside = { ...others, listen_addresses: "*" };

export const container: ContainerRecipe = {
  port: 5432,
  // Above what the images of 17 (…/data) and of 18 (…/18/docker) use, and a volume in either or under it.
  data: "/var/lib/postgresql",
  stopSeconds: 10,
  describe: (context) => ({
    env: {
      POSTGRES_USER: adminName,
      POSTGRES_PASSWORD: password(context, "postgres admin"),
      POSTGRES_DB: "postgres",
      // Its data are copied at times, and of the default size two segments are most of them.
      POSTGRES_INITDB_ARGS: "--wal-segsize=1 --no-sync",
      TZ: "UTC",
    },
    command: [
      "postgres",
      ...Object.entries(inside).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
    ],
  }),
  adminUrl: (context, port) =>
    `postgres://${adminName}:${password(context, "postgres admin")}@127.0.0.1:${port}/postgres`,
};
