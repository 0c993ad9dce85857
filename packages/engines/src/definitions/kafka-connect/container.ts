import type { ContainerRecipe } from "../../definition.ts";
import { javaFlags } from "../../java.ts";
import { settings } from "./settings.ts";

/** The entry point puts its own in their place, unless they come without the prefix, too. */
const taken = [
  "bootstrap.servers",
  "group.id",
  "config.storage.topic",
  "offset.storage.topic",
  "status.storage.topic",
  "offset.flush.interval.ms",
  "key.converter",
  "value.converter",
];

/** Any setting is a variable (Debezium's connect-base/3.6/docker-entrypoint.sh). */
export const container: ContainerRecipe = {
  port: 8083,
  hostNetwork: true,
  startSeconds: 60,
  stopSeconds: 20,
  describe: (_context, port, kafka = "") => ({
    env: {
      HEAP_OPTS: "-Xms64m -Xmx256m",
      KAFKA_JVM_PERFORMANCE_OPTS: javaFlags.join(" "),
      // Otherwise it asks for a network card's address.
      HOST_NAME: "127.0.0.1",
      ADVERTISED_PORT: String(port),
      ...Object.fromEntries(
        Object.entries(settings(`127.0.0.1:${port}`, new URL(kafka).host)).flatMap(
          ([key, value]) => {
            const name = key.replaceAll(".", "_").toUpperCase();
            const prefixed = [`CONNECT_${name}`, String(value)];
            return taken.includes(key) ? [prefixed, [name, String(value)]] : [prefixed];
          },
        ),
      ),
    },
    command: ["start"],
  }),
  adminUrl: (_context, port) => `http://127.0.0.1:${port}/`,
};
