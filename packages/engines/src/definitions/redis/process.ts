import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { chown, chmod, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { password } from "../../context.ts";
import type { ProcessRecipe } from "../../definition.ts";
import { startFailed } from "../../errors.ts";
import { fetched, fetchPlan, fetchServer, installHint } from "./fetch.ts";
import { adminName, configuration } from "./settings.ts";

/** A redis-server that is on this machine already. */
interface Present {
  readonly file: string;
  readonly source: string;
  /** For private libraries that were fetched with it. */
  readonly libraries?: string;
}

export const recipe: ProcessRecipe = {
  spare: true,

  async offer(env) {
    const present = await find(env);
    if (present) {
      const version = await versionOf(present).catch(() => undefined);
      return { offered: true, source: present.source, ...(version === undefined ? {} : { version }) };
    }
    if (env["KATA_REDIS_SERVER"]) {
      return { offered: false, reason: `KATA_REDIS_SERVER=${env["KATA_REDIS_SERVER"]} can't be run`, remedy: installHint() };
    }
    if (env["KATA_INSTALL"] === "never") {
      return { offered: false, reason: "no redis-server on PATH, and KATA_INSTALL=never forbids fetching one", remedy: installHint() };
    }
    const plan = fetchPlan(env);
    if (!plan) return { offered: false, reason: "no redis-server on PATH, and neither apt-get nor pip to fetch one with", remedy: installHint() };
    return { offered: true, source: plan.source, fetch: { what: plan.what, bytes: plan.bytes } };
  },

  async prepare(context) {
    const server = (await find(context.env)) ?? (await fetchServer(context));
    if (!server) throw startFailed("redis", "process", "there is no redis-server", "");
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
          configuration({ bind: "127.0.0.1", port, folder: data, adminPassword, appPassword: password(context, "redis app") }),
        );
        await chmod(file, 0o600);
        if (uid !== undefined && gid !== undefined) await chown(file, uid, gid);
        return {
          file: server.file,
          args: [file],
          cwd: data,
          env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", ...(server.libraries ? { LD_LIBRARY_PATH: server.libraries } : {}) },
        };
      },
    };
  },
};

async function find(env: NodeJS.ProcessEnv): Promise<Present | undefined> {
  const named = env["KATA_REDIS_SERVER"];
  if (named) return runnable(named) ? { file: named, source: `KATA_REDIS_SERVER (${named})` } : undefined;
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, "redis-server");
    if (folder && runnable(file)) return { file, source: `redis-server on PATH (${file})` };
  }
  return fetched(env);
}

function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf({ file, libraries }: Present): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)(file, ["--version"], {
    timeout: 200,
    env: libraries ? { LD_LIBRARY_PATH: libraries } : {},
  });
  return /v=(\S+)/.exec(stdout)?.[1];
}
