/** Runs that have nothing but one server, the group of `definitions/`: without leases, they can be looked into. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { RunContext } from "../../src/context.ts";
import type { EngineDefinition } from "../../src/definition.ts";
import { Engine } from "../../src/engine.ts";
import { startContainer } from "../../src/providers/containers.ts";
import { serverUser } from "../../src/user.ts";
import { Watcher } from "../../src/watcher/client.ts";
import { folderPrefix } from "../../src/watcher/sweep.ts";
import { definition } from "./definitions/group/index.ts";

/** It ends with its watcher. */
export async function openGroup(
  parent: string,
  env: NodeJS.ProcessEnv,
  options: { readonly definition?: EngineDefinition } = {},
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
