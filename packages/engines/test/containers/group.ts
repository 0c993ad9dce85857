/** A server that is three containers, of images that can be built here: a Redis, its replica, and a Redis beside them. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ofAnyServer } from "../../src/capabilities.ts";
import { password, type RunContext } from "../../src/context.ts";
import type { Companion, EngineDefinition } from "../../src/definition.ts";
import { container } from "../../src/definitions/redis/container.ts";
import { definition as redis } from "../../src/definitions/redis/index.ts";
import { adminName } from "../../src/definitions/redis/settings.ts";
import { Engine } from "../../src/engine.ts";
import { startContainer } from "../../src/providers/containers.ts";
import { serverUser } from "../../src/user.ts";
import { Watcher } from "../../src/watcher/client.ts";
import { folderPrefix } from "../../src/watcher/sweep.ts";

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

export const definition: EngineDefinition = {
  ...redis,
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

/** A run with one server, which is that group; it ends with the watcher. */
export async function openGroup(
  parent: string,
  env: NodeJS.ProcessEnv,
  options: { readonly definition?: EngineDefinition; readonly seed?: string } = {},
) {
  const id = randomBytes(4).toString("hex");
  const folder = join(parent, `${folderPrefix}${id}`);
  const watcher = new Watcher(folder);
  await watcher.ready();
  const context: RunContext = {
    id,
    folder,
    env,
    watcher,
    ended: new AbortController().signal,
    user: serverUser(),
    cache: folder,
    secret: "a secret",
    progress: () => {},
  };
  const group = options.definition ?? definition;
  const start = async (seed?: string) => {
    const server = await startContainer(group, context, {
      isolated: true,
      ...(seed === undefined ? {} : { seed }),
    });
    return { server, engine: await Engine.open(group, server, group.capabilities, context) };
  };
  return { id, folder, start, [Symbol.asyncDispose]: () => watcher.end() };
}
