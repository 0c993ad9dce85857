import { rm } from "node:fs/promises";
import { join } from "node:path";
import { materialise } from "../../cache.ts";
import type { RunContext } from "../../context.ts";
import type { Located, Package } from "../../fetch/package.ts";
import { packaged } from "../../fetch/recipe.ts";
import { java } from "../../fetch/runtimes.ts";
import {
  archiveClasses,
  digestOf,
  javaFlags,
  onArchive,
  rehearse,
  serverFolder,
} from "../../java.ts";
import { freePort } from "../../providers/process.ts";
import { type ServerUser, writeFor } from "../../user.ts";
import { versionAt } from "./client.ts";
import { tryOut } from "./recycling.ts";

const version = "5.26.30";

const server: Package = {
  name: "neo4j",
  licence: "GPL-3.0-only",
  ways: [
    {
      client: "maven",
      key: `neo4j-${version}`,
      what: `Neo4j ${version} (Community) from Maven Central`,
      bytes: 155_000_000,
      source: `Neo4j ${version} (Community) from Maven Central, unpacked in our cache`,
      version,
      pom: join(import.meta.dirname, "pom.xml"),
      file: join("jars", `neo4j-${version}.jar`),
    },
  ],
  hint: () => (process.platform === "darwin" ? "brew install maven" : "sudo apt-get install maven"),
};

export const recipe = packaged({
  engine: "neo4j",
  bundles: [{ packages: [java, server] }],

  async prepare([runtime, jars], _bundle, context) {
    if (!runtime || !jars) throw new Error("a bundle of two has two packages");
    const parts = { runtime, jars, user: context.user };
    const { home, flag } = await firstStart(context, parts);
    return {
      seed: home,
      stopSignal: "SIGTERM",
      adminUrl,
      launch: (data, port) => launch(parts, data, port, flag),
    };
  },
});

const adminUrl = (port: number) => `bolt://127.0.0.1:${port}`;

/** Makes the system's database and learns which classes are loaded: each later start takes half the time. */
async function firstStart(context: RunContext, parts: Parts) {
  const { runtime, jars, user } = parts;
  const { uid } = user;
  const digest = digestOf(runtime.file, JSON.stringify(settings), ...javaFlags, jars.folder ?? "");
  const name = `neo4j-${version}-tried-${digest}-${uid ?? process.getuid?.() ?? "user"}`;
  const folder = await materialise(context, name, async (draft) => {
    context.progress("neo4j: starting it for the first time, which takes long");
    // What is tried out leaves names behind.
    const [trial, home] = [join(draft, "trial"), join(draft, "home")];
    const port = await freePort();
    await serverFolder(context, trial);
    await archiveClasses(
      context,
      "neo4j",
      draft,
      trial,
      (flag) => launch(parts, trial, port, flag),
      () => tryOut(adminUrl(port)),
    );
    await rm(trial, { recursive: true });
    await serverFolder(context, home);
    const again = await launch(parts, home, port, onArchive(draft));
    await rehearse(context, "neo4j", again, () => versionAt(adminUrl(port)));
    await rm(join(home, "logs"), { recursive: true });
  });
  return { home: join(folder, "home"), flag: onArchive(folder) };
}

/** Loopback and little memory; who asks is not asked who he is, since Community knows no rights. */
const settings = {
  "server.default_listen_address": "127.0.0.1",
  "server.http.enabled": false,
  "server.https.enabled": false,
  "dbms.security.auth_enabled": false,
  "dbms.usage_report.enabled": false,
  "server.memory.pagecache.size": "32m",
  "server.memory.heap.max_size": "256m",
  "db.tx_log.preallocate": false,
  "db.logs.query.enabled": "OFF",
  // Of five seconds, twice, in which nothing happens.
  "internal.server.bolt.thread_pool_shutdown_wait_time": "100ms",
};

/** What one is made of, and whom it runs as. */
interface Parts {
  readonly runtime: Located;
  readonly jars: Located;
  readonly user: ServerUser;
}

async function launch({ runtime, jars, user }: Parts, data: string, port: number, flag: string) {
  const all = { ...settings, "server.bolt.listen_address": `127.0.0.1:${port}` };
  const lines = Object.entries(all).map(([key, value]) => `${key}=${value}\n`);
  await writeFor(user, join(data, "neo4j.conf"), lines.join(""));
  const opened = ["java.lang", "java.io", "java.nio", "sun.nio.ch"];
  return {
    file: runtime.file,
    args: [
      ...["-Xmx256m", ...javaFlags, flag],
      ...opened.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
      ...["-cp", join(jars.folder ?? "", "jars", "*"), "org.neo4j.server.CommunityEntryPoint"],
      ...[`--home-dir=${data}`, `--config-dir=${data}`, "--console-mode"],
    ],
    cwd: data,
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" },
  };
}
