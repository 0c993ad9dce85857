import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Package } from "../../fetch/package.ts";
import { packaged } from "../../fetch/recipe.ts";
import { python } from "../../fetch/runtimes.ts";

const milvusLite: Package = {
  name: "milvus-lite",
  licence: "Apache-2.0",
  ways: [
    {
      client: "pip",
      key: "milvus-lite-3.2.2",
      what: "milvus-lite 3.2.2 and what it is made of, from PyPI",
      bytes: 100_000_000,
      source:
        "milvus-lite 3.2.2 (PyPI), a stand-in for Milvus: its interface, with storage and search in Python",
      version: "lite 3.2.2",
      requirements: join(import.meta.dirname, "milvus-lite.txt"),
      file: "milvus_lite",
    },
  ],
  hint: () => "sudo apt-get install python3-pip",
};

export const recipe = packaged({
  engine: "milvus",
  bundles: [
    {
      packages: [python, milvusLite],
      standIn:
        "its interface, with storage and search in Python: it accepts any index and may answer by brute force, so recall and latency are not Milvus's",
    },
  ],

  async prepare([interpreter, server]) {
    // Read here, since the server's user may not look into this folder.
    const program = readFileSync(join(import.meta.dirname, "server.py"), "utf8");
    return {
      stopSignal: "SIGTERM",
      adminUrl: (port) => `http://127.0.0.1:${port}/`,
      launch: async (data, port) => ({
        file: interpreter?.file ?? "",
        // Nothing of the user's Python gets in.
        args: ["-I", "-c", program, server?.folder ?? "", data, String(port)],
        cwd: data,
        env: {
          PATH: process.env.PATH ?? "",
          HOME: data,
          LC_ALL: "C.UTF-8",
          PYTHONDONTWRITEBYTECODE: "1",
        },
      }),
    };
  },
});
