import { existsSync } from "node:fs";
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Package } from "../../fetch/package.ts";
import { packaged } from "../../fetch/recipe.ts";
import { java } from "../../fetch/runtimes.ts";
import { freePort } from "../../providers/process.ts";
import { writeFor } from "../../user.ts";
import { advertisedHost } from "./addresses.ts";
import { type Settings, settings } from "./settings.ts";

export const broker: Package = {
  name: "kafka",
  licence: "Apache-2.0",
  ways: [
    {
      client: "maven",
      key: "kafka-4.3.1",
      what: "Kafka 4.3.1 from Maven Central",
      bytes: 65_000_000,
      source: "Kafka 4.3.1 from Maven Central, unpacked in our cache",
      version: "4.3.1",
      pom: join(import.meta.dirname, "pom.xml"),
      file: join("jars", "kafka_2.13-4.3.1.jar"),
    },
  ],
  hint: () => (process.platform === "darwin" ? "brew install maven" : "sudo apt-get install maven"),
};

export const recipe = packaged({
  engine: "kafka",
  bundles: [{ packages: [java, broker] }],

  async prepare([runtime, server], _bundle, { user }) {
    const { uid, gid } = user;
    return {
      stopSignal: "SIGTERM",
      adminUrl: (port) => `kafka://127.0.0.1:${port}`,
      async launch(data, port) {
        const log = join(data, "log");
        const file = join(data, "server.properties");
        await writeFor(
          user,
          file,
          properties(
            settings(log, {
              controller: `127.0.0.1:${await freePort()}`,
              clients: `127.0.0.1:${port}`,
              advertised: `${advertisedHost}:${port}`,
            }),
          ),
        );
        // What formatting by Kafka's own tool would write, in the time that takes to start a Java.
        const meta = join(log, "meta.properties");
        if (!existsSync(meta)) {
          await mkdir(log, { mode: 0o700 });
          if (uid !== undefined && gid !== undefined) await chown(log, uid, gid);
          const identity = { version: 1, "node.id": 1, "cluster.id": "kata" };
          await writeFor(user, meta, properties(identity));
        }
        return {
          file: runtime?.file ?? "",
          args: [
            ...["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"],
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            ...["-cp", join(server?.folder ?? "", "jars", "*")],
            ...["kafka.Kafka", file],
          ],
          cwd: data,
          env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" },
        };
      },
    };
  },
});

function properties(entries: Settings): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}
