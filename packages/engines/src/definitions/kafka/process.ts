import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { materialise } from "../../cache.ts";
import type { RunContext } from "../../context.ts";
import type { Located, Package } from "../../fetch/package.ts";
import { packaged } from "../../fetch/recipe.ts";
import { java } from "../../fetch/runtimes.ts";
import { archiveClasses, digestOf, javaFlags, onArchive, serverFolder } from "../../java.ts";
import { freePort } from "../../providers/process.ts";
import { writeFor } from "../../user.ts";
import { advertisedHost } from "./addresses.ts";
import { tryOut } from "./client.ts";
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

  async prepare([runtime, server], _bundle, context) {
    if (!runtime || !server) throw new Error("a bundle of two has two packages");
    const flag = onArchive(await firstStart(context, runtime, server));
    return {
      stopSignal: "SIGTERM",
      adminUrl,
      launch: (data, port) => launch(context, runtime, server, data, port, flag),
    };
  },
});

const adminUrl = (port: number) => `kafka://${advertisedHost}:${port}`;

/** Learns which classes are loaded. */
function firstStart(context: RunContext, runtime: Located, server: Located): Promise<string> {
  const name = `kafka-4.3.1-classes-${digestOf(runtime.file, server.folder ?? "")}`;
  return materialise(context, name, async (draft) => {
    context.progress("kafka: starting it for the first time, which takes long");
    const home = join(draft, "home");
    await serverFolder(context, home);
    const port = await freePort();
    await archiveClasses(
      context,
      "kafka",
      draft,
      home,
      (flag) => launch(context, runtime, server, home, port, flag),
      () => tryOut(adminUrl(port)),
    );
    await rm(home, { recursive: true });
  });
}

async function launch(
  context: RunContext,
  runtime: Located,
  server: Located,
  data: string,
  port: number,
  flag: string,
) {
  const log = join(data, "log");
  const file = join(data, "server.properties");
  const listeners = {
    controller: `127.0.0.1:${await freePort()}`,
    clients: `127.0.0.1:${port}`,
    advertised: `${advertisedHost}:${port}`,
  };
  await writeFor(context.user, file, properties(settings(log, listeners)));
  // What formatting by Kafka's own tool would write, in the time that takes to start a Java.
  const meta = join(log, "meta.properties");
  if (!existsSync(meta)) {
    await serverFolder(context, log);
    const identity = { version: 1, "node.id": 1, "cluster.id": "kata" };
    await writeFor(context.user, meta, properties(identity));
  }
  return {
    file: runtime.file,
    args: [
      ...["-Xmx256m", ...javaFlags, flag],
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
      ...["-cp", join(server.folder ?? "", "jars", "*")],
      ...["kafka.Kafka", file],
    ],
    cwd: data,
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" },
  };
}

function properties(entries: Settings): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}
