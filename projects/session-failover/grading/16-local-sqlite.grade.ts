import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { check, nodeConfig, SLACK_MS, sessionInput } from "./kit.ts";

const SESSIONS = 25;
/**
 * How long a third process holds the file's write lock, in milliseconds: much less than the budget,
 * of which a careful answer gives one wait for the lock a third.
 */
const LOCKED_MS = 250;

export default check({
  title: "for development, two processes share one SQLite file without treading on each other",
  points: 3,
  concept: "local development",
  traps: ["sqlite-busy", "sqlite-ids-in-the-clear"],
  engines: {},
  nodes: ["a", "b"],
  hints: [
    "SQLite has one writer at a time. What happens to the second one?",
    "Write-ahead logging lets readers and a writer work at once; a busy time-out makes the second writer wait instead of failing.",
  ],
  async run(t) {
    const sqlite = join(t.folder, "sessions.db");
    const stores = { kind: "local", sqlite } as const;
    await t.migrate(stores);
    const [a, b] = await Promise.all([
      t.start("a", nodeConfig("a", stores)),
      t.start("b", nodeConfig("b", stores)),
    ]);
    t.step(`a third process writes to the file for ${LOCKED_MS} ms; a opens a session meanwhile`);
    const third = new DatabaseSync(sqlite, { timeout: 2_000 });
    try {
      third.exec("BEGIN IMMEDIATE");
      const patient = a.create(sessionInput(t));
      // Who doesn't wait for the lock has failed long before it is given back.
      await Promise.race([patient, wait(LOCKED_MS)]);
      third.exec("COMMIT");
      t.equal((await b.get((await patient).id))?.version, 1, "it is opened when the file is free");
    } finally {
      third.close();
    }
    t.step(`both open ${SESSIONS} sessions at the same moment`);
    const sessions = await Promise.all(
      [a, b].flatMap((node) =>
        Array.from({ length: SESSIONS }, () => node.create(sessionInput(t))),
      ),
    );
    t.step("each updates what the other opened");
    const updated = await Promise.all(
      sessions.map((session, i) =>
        (i < SESSIONS ? b : a).update(session.id, { data: { by: i }, expectedVersion: 1 }),
      ),
    );
    for (const [i, session] of updated.entries()) {
      t.equal(await (i % 2 === 0 ? a : b).get(session.id), session, "each reads what was written");
    }
    const [first, second] = updated;
    if (!first || !second) return;
    await b.destroy(first.id);
    t.equal(await a.get(first.id), null, "a session ended by one is gone for the other");
    const rotated = await a.rotate(second.id);
    t.equal(await b.get(second.id), null, "an id rotated away by one is dead for the other");
    t.equal((await b.get(rotated.id))?.version, 2, "and the new one works");
    const late = { data: {}, expectedVersion: 1 };
    await t.rejects(a.update(rotated.id, late), "VERSION_CONFLICT", "an old version is refused");
    t.step("what ends, and what a second migration leaves alone");
    const short = await a.create(sessionInput(t, 100));
    await t.migrate(stores);
    t.equal((await b.get(rotated.id))?.version, 2, "migrating again changes nothing");
    await t.eventually(
      SLACK_MS,
      () => b.get(short.id),
      (session) => session === null,
      "a session ends when its time is up",
      "null",
    );
    t.equal(await b.list(short.userId), [], "and is not listed then");
    const touched = await b.touch(rotated.id, 120_000);
    const [device] = await a.list(rotated.userId);
    t.equal(device?.expiresAt, touched.expiresAt, "list() tells when a touched session ends");
    t.equal(await a.destroyAll(rotated.userId), 1, "destroyAll() tells how many there were");
    t.equal(await b.get(rotated.id), null, "and they are over");
    t.step("look for ids in the file, and in those that SQLite keeps next to it");
    const ids = [...updated, rotated].map((session) => session.id);
    for (const name of await readdir(t.folder)) {
      const bytes = await readFile(join(t.folder, name));
      const id = ids.find(
        (id) => bytes.includes(id) || bytes.includes(Buffer.from(id, "base64url")),
      );
      t.ok(id === undefined, "no id is stored in SQLite in the clear", {
        expected: "only digests of ids",
        received: `${id} in ${name}`,
      });
    }
  },
});
