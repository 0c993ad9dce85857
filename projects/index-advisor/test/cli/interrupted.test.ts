/** Ctrl-C where it hurts: while the database itself is changed. */
import { expect, it, onTestFinished } from "vitest";
import { closeEngines, connected, load, openDatabases } from "../databases.ts";
import { openFolder, typed } from "./tool.ts";

it("says what was done, and begins nothing more", { timeout: 120_000 }, async () => {
  onTestFinished(closeEngines);
  await using folder = await openFolder();
  await using databases = await openDatabases();
  await load(
    databases,
    `CREATE TABLE ticket (id integer, owner integer NOT NULL);
     INSERT INTO ticket SELECT i, i * 7919 % 10007 FROM generate_series(1, 60000) AS i`,
  );
  const file = await folder.write(
    "work.sql",
    "-- calls: 500\nSELECT * FROM ticket WHERE owner = 4711;",
  );
  await using writer = await connected(databases.target);
  await writer.query("BEGIN; INSERT INTO ticket VALUES (0, 0)");

  const { target, scratch } = databases;
  const limit = ["--lock-timeout", "60s"];
  const args = ["--url", target, "--scratch-url", scratch, "--sql", file, "--apply", "--yes"];
  const { code, stdout } = await typed([...args, ...limit], (text, stop) => {
    if (/^build ticket_owner/m.test(text) && !text.includes("Cleaning up")) stop();
  });
  expect(code).toBe(130);
  expect(stdout).toMatch(/^failed {3}ticket_owner\w+: Interrupted before it was begun\.$/m);
  await writer.query("ROLLBACK");
  const { rows } = await writer.query("SELECT FROM pg_index WHERE indrelid = 'ticket'::regclass");
  expect(rows).toEqual([]);
});
