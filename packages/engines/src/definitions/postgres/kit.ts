import pg from "pg";
import type { Kit, Session } from "../../conformance/kit.ts";

async function connect(url: string): Promise<Session> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return {
    async set(key, value) {
      await client.query("CREATE TABLE IF NOT EXISTS kit (key text PRIMARY KEY, value text)");
      await client.query(
        "INSERT INTO kit VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [key, value],
      );
    },
    async get(key) {
      const { rows } = await client.query<{ found: boolean }>(
        "SELECT to_regclass('kit') IS NOT NULL AS found",
      );
      if (!rows[0]?.found) return undefined;
      return (await client.query<{ value: string }>("SELECT value FROM kit WHERE key = $1", [key]))
        .rows[0]?.value;
    },
    administer: () => client.query("CREATE ROLE kit_intruder SUPERUSER"),
    close: () => client.end(),
  };
}

export const kit: Kit = {
  connect,
  requests: { set: "INSERT INTO kit", get: "SELECT value FROM kit" },
  async prepare(url) {
    const session = await connect(url);
    await session.set("prepared", "yes");
    await session.close();
  },
};
