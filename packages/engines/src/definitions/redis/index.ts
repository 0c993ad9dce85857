import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { connect } from "./client.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";
import { troubles } from "./troubles.ts";
import { wire } from "./wire.ts";

export const definition: EngineDefinition = {
  name: "redis",
  title: "Redis",
  licence: "BSD-3-Clause (up to 7.2), RSALv2 OR SSPL-1.0 OR AGPL-3.0 (8)",
  capabilities: [
    "transactions",
    "durable",
    ...ofAnyServer,
    "readonly",
    "outOfMemory",
    "diskFull",
    "loading",
    "gate",
  ],
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_REDIS_URL",
  process: recipe,
  container,
  wire,
  arrivals: /^\d+:[A-Z] .{24} - Accepted \S+:(?<port>\d+)/gm,
  troubles,
  async ready(adminUrl) {
    const client = await connect(adminUrl, {
      retryStrategy: () => null,
      connectTimeout: 5_000,
      // ioredis's own check waits a whole second when it meets a server that loads; we ask at once.
      enableReadyCheck: false,
    });
    try {
      // While Redis loads its data it accepts connections and INFO, but refuses this.
      await client.dbsize();
      return /^redis_version:(\S+)/m.exec(await client.info("server"))?.[1] ?? "";
    } finally {
      client.disconnect();
    }
  },
  async openNamespaces(server, context) {
    const { RedisNamespaces } = await import("./namespaces.ts");
    return new RedisNamespaces(server, context);
  },
};
