import { join } from "node:path";
import type { NodePlopAPI } from "node-plop";
import { register } from "./src/register.ts";

export default (plop: NodePlopAPI): void =>
  register(plop, { into: join(import.meta.dirname, "..") });
