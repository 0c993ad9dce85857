import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PreparedServer } from "../../definition.ts";
import type { Bundle, Located, Package } from "../../fetch/package.ts";
import { versionOf } from "../../fetch/packages.ts";
import { packaged } from "../../fetch/recipe.ts";
import { java } from "../../fetch/runtimes.ts";
import { type ServerUser, writeFor } from "../../user.ts";

const mongod: Package = {
  name: "mongod",
  licence: "SSPL-1.0",
  own: { program: "mongod", variable: "KATA_MONGOD" },
  ways: [],
  hint: () => "put a mongod on your PATH, or set KATA_MONGOD to its path",
};

const mongoJavaServer: Package = {
  name: "mongo-java-server",
  licence: "BSD-3-Clause AND Apache-2.0 AND (MPL-2.0 OR EPL-1.0)",
  ways: [
    {
      client: "maven",
      key: "mongo-java-server-1.47.0",
      what: "mongo-java-server 1.47.0 from Maven Central",
      bytes: 24_300_000,
      source: "mongo-java-server 1.47.0, a stand-in for MongoDB without transactions or explain",
      version: "5.0.0",
      pom: join(import.meta.dirname, "pom.xml"),
      file: join("jars", "mongo-java-server-core-1.47.0.jar"),
    },
  ],
  hint: () => (process.platform === "darwin" ? "brew install maven" : "sudo apt-get install maven"),
};

interface Server extends Bundle {
  /** @param located its packages */
  launch(
    located: readonly Located[],
    data: string,
    port: number,
    user: ServerUser,
  ): ReturnType<PreparedServer["launch"]>;
}

const environment = { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8" };

const real: Server = {
  packages: [mongod],
  // It runs alone, not as a replica set.
  lacks: ["transactions"],
  launch: async ([server], data, port) => ({
    file: server?.file ?? "",
    args: [
      ...["--dbpath", data, "--port", String(port), "--bind_ip", "127.0.0.1"],
      ...["--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"],
      ...["--setParameter", "diagnosticDataCollectionEnabled=false"],
    ],
    cwd: data,
    env: environment,
  }),
};

const standIn: Server = {
  packages: [java, mongoJavaServer],
  lacks: ["transactions"],
  standIn: "no `explain`, text search or validators",
  async launch([runtime, server], data, port, user) {
    // Root's servers, who run as somebody else, may not be able to read our own files.
    const script = join(data, "stand-in.bsh");
    await writeFor(user, script, await readFile(join(import.meta.dirname, "stand-in.bsh"), "utf8"));
    return {
      file: runtime?.file ?? "",
      args: [
        ...["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"],
        ...["-cp", join(server?.folder ?? "", "jars", "*")],
        ...["bsh.Interpreter", script, String(port), join(data, "store")],
      ],
      cwd: data,
      env: environment,
    };
  },
};

export const recipe = packaged({
  engine: "mongodb",
  bundles: [real, standIn],
  version: (server) => versionOf(server, /v(\d+\.\d+\.\d+)/),

  async prepare(located, bundle, { user }) {
    return {
      stopSignal: "SIGTERM",
      adminUrl: (port) => `mongodb://127.0.0.1:${port}/?directConnection=true`,
      launch: (data, port) => bundle.launch(located, data, port, user),
    };
  },
});
