import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "../postgres/container.ts";
import { extended, definition as postgres } from "../postgres/index.ts";
import { recipe } from "./process.ts";

/** PostgreSQL whose namespaces have the extension `vector`: nobody but a superuser may create it. */
export const definition: EngineDefinition = {
  ...postgres,
  name: "pgvector",
  title: "PostgreSQL with pgvector",
  capabilities: [...postgres.capabilities, "vector"],
  variants: extended,
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_PGVECTOR_URL",
  urlExample: "postgres://user:password@host:5432/postgres",
  process: recipe,
  container,
  async openNamespaces(server, context) {
    const { having, PostgresNamespaces } = await import("../postgres/namespaces.ts");
    return new PostgresNamespaces(server, context, having("vector"));
  },
};
