/** Ctrl-C where it hurts: while the database itself is changed. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { closeEngines, connected, load, openDatabases } from "../databases.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");

it("says what was done, and begins nothing more", { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "advise-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  onTestFinished(closeEngines);
  await using databases = await openDatabases();
  await load(
    databases,
    `CREATE TABLE ticket (id integer, owner integer NOT NULL);
     INSERT INTO ticket SELECT i, i * 7919 % 10007 FROM generate_series(1, 60000) AS i`,
  );
  const file = join(folder, "work.sql");
  await writeFile(file, "-- calls: 500\nSELECT * FROM ticket WHERE owner = 4711;");
  await using writer = await connected(databases.target);
  await writer.query("BEGIN; INSERT INTO ticket VALUES (0, 0)");

  const { target, scratch } = databases;
  const limit = ["--lock-timeout", "60s"];
  const args = ["--url", target, "--scratch-url", scratch, "--sql", file, "--apply", "--yes"];
  const child = spawn(process.execPath, [MAIN, ...args, ...limit], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    if (/^build ticket_owner/m.test(stderr) && !stderr.includes("Cleaning up"))
      child.kill("SIGINT");
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  expect(code).toBe(130);
  expect(stdout).toMatch(/^failed {3}ticket_owner\w+: Interrupted before it was begun\.$/m);
  await writer.query("ROLLBACK");
  const { rows } = await writer.query("SELECT FROM pg_index WHERE indrelid = 'ticket'::regclass");
  expect(rows).toEqual([]);
});
