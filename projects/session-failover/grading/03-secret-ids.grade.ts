import pg from "pg";
import type { Session } from "../contract.ts";
import { check, type SessionContext, sessionInput, startTwoNodes } from "./kit.ts";

const IDS = 60;
const UUID_V4 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;

export default check({
  title: "ids can't be guessed, are nowhere in PostgreSQL in the clear, and die when rotated",
  points: 3,
  concept: "secrets",
  traps: ["guessable-ids", "ids-in-the-clear", "no-rotation"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "A session id is a password that the browser keeps. Would you store a password like that?",
    "128 bits from the operating system's generator are 22 base64url characters; what PostgreSQL holds is a digest of them.",
    "Session fixation: the id that a visitor had before login must be worth nothing after it.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    t.step(`open ${IDS} sessions and look at their ids`);
    const sessions: Session[] = [];
    for (let i = 0; i < IDS; i += 2) {
      sessions.push(...(await Promise.all([a.create(sessionInput(t)), b.create(sessionInput(t))])));
    }
    const ids = sessions.map((session) => session.id);
    t.equal(new Set(ids).size, IDS, "no two sessions have the same id");
    const short = ids.find((id) => id.length < 22);
    t.ok(short === undefined, "an id holds at least 128 bits", {
      expected: "at least 22 characters",
      received: `${short?.length} characters`,
    });
    t.ok(!ids.every((id) => UUID_V4.test(id)), "an id holds at least 128 bits", {
      expected: "128 random bits",
      received: "UUIDs of version 4, which hold 122",
    });
    expectRandom(t, ids);

    t.step("look for the ids in every row of every table");
    await expectNowhere(t, ids);

    t.step("rotate on a; the old id is dead on both nodes");
    const [first] = sessions;
    if (!first) return;
    await b.get(first.id);
    const rotated = await a.rotate(first.id);
    t.ok(rotated.id !== first.id, "rotate() gives a new id", {
      expected: "another id",
      received: "the same id",
    });
    t.equal(rotated.data, first.data, "rotate() keeps the data");
    t.equal(rotated.version, first.version, "rotate() leaves the version alone");
    for (const node of [a, b]) {
      t.equal(await node.get(first.id), null, "the old id is dead");
      t.equal((await node.get(rotated.id))?.userId, first.userId, "the new id works");
    }
    await expectNowhere(t, [rotated.id]);
  },
});

/**
 * Random ids differ from each other in nearly every place. Counters, time stamps and fixed
 * prefixes leave columns that (almost) all ids share: the last 22 characters must hold at least 16
 * in which no character takes more than half of the ids (for random base64url or hex, the odds of
 * one column failing are below 10⁻¹⁰).
 */
function expectRandom(t: SessionContext, ids: readonly string[]): void {
  const length = Math.min(...ids.map((id) => id.length));
  let varied = 0;
  for (let column = 0; column < length; column++) {
    const counts = new Map<string, number>();
    for (const id of ids) {
      const character = id[column] as string;
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    if (Math.max(...counts.values()) <= ids.length / 2) varied++;
  }
  t.ok(varied >= 20, "ids are random in most of their characters", {
    expected: "at least 20 characters that vary from id to id",
    received: `${varied} that do, for instance ${ids.slice(0, 2).join(" and ")}`,
  });
}

async function expectNowhere(t: SessionContext, ids: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: t.lease("postgres").adminUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    for (const { name } of tables.rows) {
      const found = await client.query(
        `select 1 from ${name} as row_ cross join unnest($1::text[]) as wanted(secret)
         where position(secret in row_::text) > 0 limit 1`,
        [ids.flatMap(spellings)],
      );
      t.ok(found.rowCount === 0, "no id is stored in PostgreSQL in the clear", {
        expected: "only digests of ids",
        received: `an id in a row of ${name}`,
      });
    }
  } finally {
    await client.end();
  }
}

/** An id as it stands, and as the bytes that it may have been stored as (shown by PostgreSQL in hex). */
function spellings(id: string): string[] {
  const hex = (encoding: BufferEncoding) => Buffer.from(id, encoding).toString("hex");
  const bare = id.replaceAll("-", "");
  return [
    id,
    hex("utf8"),
    hex("base64url"),
    ...(/^[0-9a-f]+$/i.test(bare) ? [bare.toLowerCase()] : []),
  ];
}
