/** Migrations are plain SQL files, `NNN_name.sql`, one folder for each kind of store. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Those of a folder, in the order in which they apply. */
export async function migrationsIn(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const read = names.map(async (name) => ({
    name,
    sql: await readFile(join(folder, name), "utf8"),
  }));
  return await Promise.all(read);
}
