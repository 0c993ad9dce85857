import { join } from "node:path";
import type { Package } from "../../fetch/package.ts";
import { packaged } from "../../fetch/recipe.ts";
import { python } from "../../fetch/runtimes.ts";

/**
 * The server is a native library within the wheel, whose `chroma` command is a few lines of Python;
 * the 80 packages that the wheel depends on are for its Python client.
 */
const chromadb: Package = {
  name: "chromadb",
  licence: "Apache-2.0",
  ways: [
    {
      client: "pip",
      key: "chromadb-1.5.9",
      what: "chromadb 1.5.9 from PyPI",
      bytes: 23_300_000,
      source: "PyPI chromadb 1.5.9, unpacked in our cache",
      version: "1.5.9",
      requirements: join(import.meta.dirname, "chromadb.txt"),
      file: "chromadb_rust_bindings",
    },
  ],
  hint: () => "sudo apt-get install python3-pip",
};

const command = `
import sys
sys.path.insert(0, sys.argv[1])
import chromadb_rust_bindings
chromadb_rust_bindings.cli(["chroma", *sys.argv[2:]])
`;

export const recipe = packaged({
  engine: "chroma",
  bundles: [{ packages: [python, chromadb] }],

  async prepare([interpreter, server]) {
    return {
      stopSignal: "SIGTERM",
      adminUrl: (port) => `http://127.0.0.1:${port}/`,
      launch: async (data, port) => ({
        file: interpreter?.file ?? "",
        args: [
          // Nothing of the user's Python gets in.
          "-I",
          "-c",
          command,
          server?.folder ?? "",
          "run",
          ...["--host", "127.0.0.1", "--port", String(port), "--path", data],
        ],
        cwd: data,
        env: { PATH: process.env.PATH ?? "", HOME: data, LC_ALL: "C.UTF-8", NO_COLOR: "1" },
      }),
    };
  },
});
