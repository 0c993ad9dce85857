import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

export const definition: EngineDefinition = {
  name: "kafka-connect",
  title: "Kafka Connect with Debezium",
  licence: "Apache-2.0",
  // What it keeps is in its Kafka: without data of its own, there is nothing to lose or to set back.
  capabilities: ["durable", "network", "kill", "stop", "pause", "restart", "delay", "partition"],
  runsOn: "kafka",
  image: pinnedImage(import.meta.dirname),
  process: recipe,
  container,
  async ready(adminUrl) {
    const { assertReady } = await import("./rest.ts");
    return assertReady(adminUrl);
  },
  async openNamespaces(server, context) {
    const { ConnectorNamespaces } = await import("./namespaces.ts");
    return new ConnectorNamespaces(server, context);
  },
};
