import type { Kit, Session } from "../../../src/conformance/kit.ts";
import { ask } from "./namespaces.ts";

async function connect(url: string): Promise<Session> {
  const shelf = new URL(url).pathname.slice(1);
  await ask(url, { verb: "version" });
  return {
    async set(key, value) {
      await ask(url, { verb: "set", shelf, key, value });
    },
    get: (key) => ask<string | undefined>(url, { verb: "get", shelf, key }),
    close: async () => {},
  };
}

export const kit: Kit = {
  connect,
  reconnects: true,
  async prepare(url) {
    await (await connect(url)).set("prepared", "yes");
  },
};
