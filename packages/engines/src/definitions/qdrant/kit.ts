import { createHash } from "node:crypto";
import { ask } from "../../ask.ts";
import type { Kit, Session } from "../../conformance/kit.ts";

const collection = "/collections/kit";

/** Points are named by a number or a UUID. */
function idOf(key: string): string {
  const hex = createHash("sha256").update(key).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

async function connect(url: string): Promise<Session> {
  const exists = async () => {
    const { result } = await ask<{ result: { exists: boolean } }>(
      url,
      "GET",
      `${collection}/exists`,
    );
    return result.exists;
  };
  await exists();
  return {
    async set(key, value) {
      if (!(await exists()))
        await ask(url, "PUT", collection, { vectors: { size: 2, distance: "Dot" } });
      const points = [{ id: idOf(key), vector: [1, 0], payload: { value } }];
      // Else it answers before the point can be read.
      await ask(url, "PUT", `${collection}/points?wait=true`, { points });
    },
    async get(key) {
      if (!(await exists())) return undefined;
      const { result } = await ask<{ result: { payload: { value: string } }[] }>(
        url,
        "POST",
        `${collection}/points`,
        { ids: [idOf(key)], with_payload: true },
      );
      return result[0]?.payload.value;
    },
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
