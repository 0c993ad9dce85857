import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PreparedServer } from "../../definition.ts";
import type { Located, Package } from "../../fetch/package.ts";
import { versionOf } from "../../fetch/packages.ts";
import { packaged } from "../../fetch/recipe.ts";
import { python } from "../../fetch/runtimes.ts";
import { freePort } from "../../providers/process.ts";

const qdrant: Package = {
  name: "qdrant",
  licence: "Apache-2.0",
  own: { program: "qdrant", variable: "KATA_QDRANT" },
  ways: [],
  hint: () => "https://github.com/qdrant/qdrant/releases",
};

const qdrantEdge: Package = {
  name: "qdrant-edge",
  licence: "Apache-2.0",
  ways: [
    {
      client: "pip",
      key: "qdrant-edge-py-0.9.0",
      what: "qdrant-edge-py 0.9.0 from PyPI",
      bytes: 13_800_000,
      source:
        "qdrant-edge (PyPI qdrant-edge-py 0.9.0), a stand-in for Qdrant: its engine as a library, behind an HTTP front of ours",
      version: "edge 0.9.0",
      requirements: join(import.meta.dirname, "qdrant-edge.txt"),
      file: "qdrant_edge",
    },
  ],
  hint: () => "sudo apt-get install python3-pip",
};

type Launch = PreparedServer["launch"];

export const recipe = packaged({
  engine: "qdrant",
  bundles: [
    { packages: [qdrant] },
    {
      packages: [python, qdrantEdge],
      standIn:
        "its engine as a library behind our front: nearest points, filters and payloads; no matches with booleans, recommendations, groups, fusion, aliases, snapshots, gRPC",
    },
  ],
  version: (server) => versionOf(server, /qdrant (\d\S*)/),

  async prepare([first, library]) {
    if (!first) throw new Error("a bundle without a server");
    return {
      stopSignal: "SIGTERM",
      adminUrl: (port) => `http://127.0.0.1:${port}/`,
      launch: library ? front(first, library) : server(first),
    };
  },
});

const environment = (data: string) => ({
  PATH: process.env.PATH ?? "",
  HOME: data,
  LC_ALL: "C.UTF-8",
});

/** The library has no server; the files are read here, since the server's user may not look into this folder. */
function front(interpreter: Located, { folder = "" }: Located): Launch {
  const program = ["translations.py", "front.py"]
    .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"))
    .join("\n");
  return async (data, port) => ({
    file: interpreter.file,
    // Nothing of the user's Python gets in.
    args: ["-I", "-c", program, folder, data, String(port)],
    cwd: data,
    env: environment(data),
  });
}

/** Its configuration can be given by variables, one for each entry (`QDRANT__SECTION__KEY`). */
function server({ file }: Located): Launch {
  return async (data, port) => ({
    file,
    args: ["--disable-telemetry"],
    cwd: data,
    env: {
      ...environment(data),
      QDRANT__SERVICE__HOST: "127.0.0.1",
      QDRANT__SERVICE__HTTP_PORT: String(port),
      QDRANT__SERVICE__GRPC_PORT: String(await freePort()),
      QDRANT__STORAGE__STORAGE_PATH: join(data, "storage"),
      QDRANT__STORAGE__SNAPSHOTS_PATH: join(data, "snapshots"),
    },
  });
}
