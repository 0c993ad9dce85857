import type { ContainerRecipe } from "../../definition.ts";
import { adminName, configuration } from "./settings.ts";

const file = "/usr/local/etc/redis/kata.conf";

export const container: ContainerRecipe = {
  port: 6379,
  stopSeconds: 10,
  describe: (secret) => ({
    env: {},
    command: ["redis-server", file],
    files: [
      {
        target: file,
        content: configuration({
          bind: "0.0.0.0",
          port: 6379,
          folder: "/data",
          adminPassword: secret,
          appPassword: `${secret}-app`,
        }),
      },
    ],
  }),
  adminUrl: (secret, port) => `redis://${adminName}:${secret}@127.0.0.1:${port}`,
};
