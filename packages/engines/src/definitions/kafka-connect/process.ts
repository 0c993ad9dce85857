import { join } from "node:path";
import type { Package } from "../../fetch/package.ts";
import { packaged } from "../../fetch/recipe.ts";
import { java } from "../../fetch/runtimes.ts";
import { javaFlags } from "../../java.ts";
import { writeFor } from "../../user.ts";
import { broker } from "../kafka/process.ts";
import { settings } from "./settings.ts";

const worker: Package = {
  name: "kafka-connect",
  licence: "Apache-2.0",
  ways: [
    {
      client: "maven",
      key: "kafka-connect-4.3.1-debezium-3.6.1",
      what: "Kafka Connect 4.3.1 with Debezium 3.6.1 from Maven Central",
      bytes: 66_000_000,
      source: "Kafka Connect 4.3.1 with Debezium 3.6.1 from Maven Central, unpacked in our cache",
      version: "4.3.1",
      pom: join(import.meta.dirname, "pom.xml"),
      file: join("jars", "connect-runtime-4.3.1.jar"),
    },
  ],
  hint: () => (process.platform === "darwin" ? "brew install maven" : "sudo apt-get install maven"),
};

export const recipe = packaged({
  engine: "kafka-connect",
  // Its Kafka among them, so that one who installs it has all that a lease starts.
  bundles: [{ packages: [java, broker, worker] }],

  async prepare([runtime, , jars], _bundle, { user }) {
    return {
      stopSignal: "SIGTERM",
      adminUrl: (port) => `http://127.0.0.1:${port}/`,
      async launch(data, port, { base: kafka = "" }) {
        const file = join(data, "worker.properties");
        const all = settings(`127.0.0.1:${port}`, new URL(kafka).host);
        const lines = Object.entries(all).map(([key, value]) => `${key}=${value}\n`);
        await writeFor(user, file, lines.join(""));
        return {
          file: runtime?.file ?? "",
          args: [
            ...["-Xmx256m", ...javaFlags],
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            ...["-cp", join(jars?.folder ?? "", "jars", "*")],
            ...["org.apache.kafka.connect.cli.ConnectDistributed", file],
          ],
          cwd: data,
          env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" },
        };
      },
    };
  },
});
