import { execFile } from "node:child_process";
import { chmod, chown, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { password } from "../../context.ts";
import type { ProcessRecipe } from "../../definition.ts";
import {
  fetched,
  fetchPlan,
  fetchServer,
  installHint,
  onPath,
  type Present,
  runnable,
} from "./fetch.ts";
import { adminName, configuration } from "./settings.ts";

export const recipe: ProcessRecipe = {
  spare: true,

  async offer(env) {
    const present = find(env);
    if (present) {
      const version = await versionOf(present).catch(() => undefined);
      return {
        offered: true,
        source: present.source,
        ...(version === undefined ? {} : { version }),
      };
    }
    if (env.KATA_REDIS_SERVER) {
      return {
        offered: false,
        reason: `KATA_REDIS_SERVER=${env.KATA_REDIS_SERVER} can't be run`,
        remedy: installHint(),
      };
    }
    if (env.KATA_INSTALL === "never") {
      return {
        offered: false,
        reason: "no redis-server on PATH, and KATA_INSTALL=never forbids fetching one",
        remedy: installHint(),
      };
    }
    const plan = fetchPlan(env);
    if (!plan)
      return {
        offered: false,
        reason: "no redis-server on PATH, and neither apt-get nor pip to fetch one with",
        remedy: installHint(),
      };
    return { offered: true, source: plan.source, fetch: { what: plan.what, bytes: plan.bytes } };
  },

  async prepare(context) {
    const server = find(context.env) ?? (await fetchServer(context));
    const adminPassword = password(context, "redis admin");
    const { uid, gid } = context.user;
    return {
      source: server.source,
      stopSignal: "SIGTERM",
      adminUrl: (port) => `redis://${adminName}:${adminPassword}@127.0.0.1:${port}`,
      async launch(data, port) {
        const file = join(data, "kata.conf");
        await writeFile(
          file,
          configuration({
            bind: "127.0.0.1",
            port,
            folder: data,
            adminPassword,
            appPassword: password(context, "redis app"),
          }),
        );
        await chmod(file, 0o600);
        if (uid !== undefined && gid !== undefined) await chown(file, uid, gid);
        return {
          file: server.file,
          args: [file],
          cwd: data,
          env: {
            PATH: process.env.PATH ?? "",
            LC_ALL: "C",
            ...(server.libraries ? { LD_LIBRARY_PATH: server.libraries } : {}),
          },
        };
      },
    };
  },
};

function find(env: NodeJS.ProcessEnv): Present | undefined {
  const named = env.KATA_REDIS_SERVER;
  if (named)
    return runnable(named) ? { file: named, source: `KATA_REDIS_SERVER (${named})` } : undefined;
  const file = onPath("redis-server", env);
  return file ? { file, source: `redis-server on PATH (${file})` } : fetched(env);
}

async function versionOf({ file, libraries }: Present): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)(file, ["--version"], {
    timeout: 200,
    env: libraries ? { LD_LIBRARY_PATH: libraries } : {},
  });
  return /v=(\S+)/.exec(stdout)?.[1];
}
