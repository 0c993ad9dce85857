import pg from "pg";
import type { Troubles } from "../../definition.ts";

export const troubles: Troubles = {
  /**
   * A restart as a standby: a transaction can't make itself writable there, whereas anybody may
   * override `default_transaction_read_only` (PostgreSQL manual, 19.11.1 and 26.4.1).
   */
  async readonly({ adminUrl, control }) {
    await administer(adminUrl(), async (admin) => {
      const { rows } = await admin.query<{ folder: string }>(
        "SELECT current_setting('data_directory') AS folder",
      );
      const file = admin.escapeLiteral(`${rows[0]?.folder}/standby.signal`);
      await admin.query(`COPY (SELECT WHERE false) TO ${file}`);
    });
    await control.stop();
    await control.start();
    return async () => {
      await control.start();
      // Connections stay, and may write again.
      await administer(adminUrl(), async (admin) => {
        const { rows } = await admin.query("SELECT pg_is_in_recovery() AS standby");
        if (rows[0]?.standby) await admin.query("SELECT pg_promote(true, 60)");
      });
    };
  },
};

async function administer<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client(url);
  admin.on("error", () => {});
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
