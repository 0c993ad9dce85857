import { createConnection, type RowDataPacket } from "mysql2/promise";
import type { Kit, Session } from "../../conformance/kit.ts";

async function connect(url: string): Promise<Session> {
  const client = await createConnection({ uri: url });
  client.on("error", () => {});
  return {
    async set(key, value) {
      await client.query(
        "CREATE TABLE IF NOT EXISTS kit (name VARCHAR(200) PRIMARY KEY, value TEXT)",
      );
      await client.query("REPLACE INTO kit VALUES (?, ?)", [key, value]);
    },
    async get(key) {
      const [tables] = await client.query<RowDataPacket[]>("SHOW TABLES LIKE 'kit'");
      if (tables.length === 0) return undefined;
      const [[row]] = await client.query<RowDataPacket[]>("SELECT value FROM kit WHERE name = ?", [
        key,
      ]);
      return row?.value;
    },
    administer: () => client.query("CREATE USER kit_intruder"),
    close: () => client.end(),
  };
}

export const kit: Kit = {
  connect,
  async prepare(url) {
    const session = await connect(url);
    await session.set("prepared", "yes");
    await session.close();
  },
};
