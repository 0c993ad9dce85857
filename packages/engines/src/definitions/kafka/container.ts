import type { ContainerRecipe } from "../../definition.ts";
import { advertisedHost } from "./addresses.ts";
import { type Settings, settings } from "./settings.ts";

const data = "/var/lib/kafka/data";

export const container: ContainerRecipe = {
  port: 9092,
  data,
  startSeconds: 60,
  stopSeconds: 20,
  describe: (_context, published) => ({
    env: {
      KAFKA_HEAP_OPTS: "-Xms64m -Xmx256m",
      ...asVariables(
        settings(data, {
          controller: "127.0.0.1:9093",
          clients: "0.0.0.0:9092",
          // What clients are told is the published address, which our proxies then replace.
          advertised: `${advertisedHost}:${published}`,
          // Nobody listens at that one in the container, where the broker sends itself the ends of
          // transactions.
          internal: "127.0.0.1:9094",
        }),
      ),
    },
    command: ["/etc/kafka/docker/run"],
  }),
  adminUrl: (_context, port) => `kafka://127.0.0.1:${port}`,
};

/** As the image reads them: `log.dirs` is KAFKA_LOG_DIRS (docker/examples/README.md). */
function asVariables(entries: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(entries).map(([name, value]) => [
      `KAFKA_${name.replaceAll(".", "_").toUpperCase()}`,
      String(value),
    ]),
  );
}
