import { existsSync } from "node:fs";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Package } from "../../fetch/package.ts";
import { packaged } from "../../fetch/recipe.ts";
import { java } from "../../fetch/runtimes.ts";
import { freePort } from "../../providers/process.ts";
import { advertisedHost } from "./addresses.ts";

const broker: Package = {
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
        await writeFile(file, properties(settings(log, port, await freePort())));
        // What formatting by Kafka's own tool would write, in the time that takes to start a Java.
        const meta = join(log, "meta.properties");
        if (!existsSync(meta)) {
          await mkdir(log, { mode: 0o700 });
          await writeFile(meta, properties({ version: 1, "node.id": 1, "cluster.id": "kata" }));
        }
        if (uid !== undefined && gid !== undefined)
          for (const path of [log, meta]) await chown(path, uid, gid);
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

/** One node that is broker and controller, with what a cluster of three would need turned down to one. */
function settings(log: string, port: number, controllerPort: number) {
  return {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://${advertisedHost}:${port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": log,
    "auto.create.topics.enable": false,
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    // Consumers needn't wait for others of their group.
    "group.initial.rebalance.delay.ms": 0,
    // How long a broker that was killed keeps its successor, itself, from registering.
    "broker.session.timeout.ms": 2_000,
    "broker.heartbeat.interval.ms": 250,
    "log.cleaner.dedupe.buffer.size": 2_097_152,
    "log.index.size.max.bytes": 1_048_576,
    "num.io.threads": 2,
    "num.network.threads": 2,
  };
}

function properties(entries: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}
