/** A server that is three containers, of images that can be built here: a Redis, its replica, and a Redis beside them. */
import { ofAnyServer } from "../../../../src/capabilities.ts";
import { password } from "../../../../src/context.ts";
import type { Companion, EngineDefinition } from "../../../../src/definition.ts";
import { container } from "../../../../src/definitions/redis/container.ts";
import { definition as redis } from "../../../../src/definitions/redis/index.ts";
import { adminName } from "../../../../src/definitions/redis/settings.ts";

const image = process.env.KATA_IMAGE_REDIS ?? "";
export const memoryBytes = 256 * 1024 ** 2;

/** On its own; the published one sends it keys, by its name. Its settings come in a file. */
const store: Companion = {
  name: "store",
  image,
  data: "/data",
  stopSeconds: 10,
  memoryBytes,
  describe: () => ({
    env: { SEEN: "here" },
    command: ["redis-server", "/settings/store.conf"],
    files: {
      "/settings/store.conf": "protected-mode no\nappendonly yes\nappendfsync always\ndir /data\n",
    },
  }),
  serves: { command: ["redis-cli", "ping"], says: /^PONG$/m },
};

/** Looks for the published one by its name, from before that is there. Its data are in a folder that the image lacks. */
const replica: Companion = {
  name: "replica",
  image,
  data: "/var/lib/replica",
  stopSeconds: 10,
  describe: (context) => ({
    env: {},
    command: [
      "redis-server",
      ...["--save", "", "--dir", "/tmp", "--replicaof", "group", "6379"],
      ...["--masteruser", adminName, "--masterauth", password(context, "redis admin")],
    ],
  }),
  serves: { command: ["redis-cli", "ping"], says: /^PONG$/m },
};

const { process: _process, urlVariable: _urlVariable, ...common } = redis;

export const definition: EngineDefinition = {
  ...common,
  name: "group",
  title: "a group",
  capabilities: ["transactions", "durable", ...ofAnyServer],
  image,
  container: {
    ...container,
    companions: [store, replica],
    describe(context, published) {
      const { env, command } = container.describe(context, published);
      return { env, command: [...command, "--repl-diskless-sync-delay", "0"] };
    },
  },
};
