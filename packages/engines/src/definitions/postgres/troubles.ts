import { randomUUID } from "node:crypto";
import { dirname } from "node:path/posix";
import pg from "pg";
import type { Troubles } from "../../definition.ts";

export const troubles: Troubles = {
  /**
   * A restart as a standby: a transaction can't make itself writable there, whereas anybody may
   * override `default_transaction_read_only` (PostgreSQL manual, 19.11.1 and 26.4.1).
   */
  async readonly({ adminUrl, control }) {
    await administer(adminUrl(), async (admin) => signal(admin, "standby.signal"));
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

  /**
   * What needs another page is refused (53100); what fits into the pages that are there goes on, until
   * the log is full too. That is a PANIC, and the end of the server (PostgreSQL manual, 28.5 and 24.3).
   * A segment of the log that begins here (1 MB) keeps that from being a matter of luck.
   */
  async diskFull({ adminUrl, control }) {
    await administer(adminUrl(), async (admin) => {
      await admin.query("SELECT pg_switch_wal()");
      await admin.query("SELECT pg_logical_emit_message(true, 'kata', '')");
    });
    await control.disk?.fill();
    return async () => {
      await control.disk?.free();
      await control.start();
    };
  },

  /**
   * A recovery whose first question to the archive goes unanswered: clients are refused until it is
   * over (PostgreSQL manual, 19.5.5, `restore_command`, and 26.3.5), and not let in to read only before
   * that (`hot_standby`).
   */
  async loading({ adminUrl, control }) {
    const folder = await administer(adminUrl(), async (admin) => {
      // Should it be killed and started plainly, the archive has nothing.
      await admin.query("ALTER SYSTEM SET restore_command = 'exit 1'");
      await admin.query("ALTER SYSTEM SET hot_standby = off");
      return signal(admin, "recovery.signal");
    });
    const answer = `${dirname(folder)}/archive-answers-${randomUUID()}`;
    await control.stop();
    await control.start({
      args: [
        "-c",
        `restore_command=while [ ! -e "${answer.replaceAll("%", "%%")}" ]; do sleep 0.02; done; exit 1`,
      ],
      until: (refusal) => "code" in refusal && refusal.code === "57P03",
    });
    return async () => {
      await control.touch(answer);
      await control.start();
      await administer(adminUrl(), async (admin) => {
        await admin.query("ALTER SYSTEM RESET restore_command");
        await admin.query("ALTER SYSTEM RESET hot_standby");
      });
    };
  },
};

/** Leaves the server an empty file that it finds when it is started. @returns its data folder */
async function signal(admin: pg.Client, name: string): Promise<string> {
  const { rows } = await admin.query<{ folder: string }>(
    "SELECT current_setting('data_directory') AS folder",
  );
  const folder = rows[0]?.folder ?? "";
  await admin.query(`COPY (SELECT WHERE false) TO ${admin.escapeLiteral(`${folder}/${name}`)}`);
  return folder;
}

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
