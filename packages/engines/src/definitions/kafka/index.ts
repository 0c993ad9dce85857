import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { readdress } from "./addresses.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

export const definition: EngineDefinition = {
  name: "kafka",
  title: "Kafka",
  licence: "Apache-2.0",
  capabilities: ["durable", ...ofAnyServer],
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_KAFKA_URL",
  urlExample: "kafka://127.0.0.1:9092",
  process: recipe,
  container,
  readdress,
  async ready(adminUrl) {
    const { assertReady } = await import("./client.ts");
    await assertReady(adminUrl);
    // No request of the protocol tells it.
    return "";
  },
  async openNamespaces(server, context) {
    const { DatabaseNamespaces } = await import("../../databases.ts");
    const { TopicNamespaces } = await import("./namespaces.ts");
    return new DatabaseNamespaces(server, context, new TopicNamespaces(server));
  },
};
