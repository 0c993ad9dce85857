import { join } from "node:path";
import type { NodePlopAPI } from "node-plop";
import { defaultTemplates } from "./src/create-exercise.ts";
import { register } from "./src/register.ts";

export default (plop: NodePlopAPI): Promise<void> =>
  register(plop, { templates: defaultTemplates, into: join(import.meta.dirname, "..") });
