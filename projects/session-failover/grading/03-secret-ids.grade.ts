import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import type { Session } from "../contract.ts";
import { resultOf } from "./interleave.ts";
import {
  check,
  expectRead,
  expectWithinBound,
  type SessionContext,
  sessionInput,
  startTwoNodes,
} from "./kit.ts";

const IDS = 60;
/** How often to look, 10 ms apart, whether a call waits for a row that is locked. */
const MOST_LOOKS = 100;
const UUID_V4 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;

export default check({
  title: "ids can't be guessed, are nowhere in PostgreSQL in the clear, and die when rotated",
  points: 3,
  concept: "secrets",
  traps: ["guessable-ids", "ids-in-the-clear", "no-rotation", "ended-one-by-one"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "A session id is a password that the browser keeps. Would you store a password like that?",
    "128 bits from the operating system's generator are 22 base64url characters; what PostgreSQL holds is a digest of them.",
    "Session fixation: the id that a visitor had before login must be worth nothing after it.",
    "Who ends all of a user's sessions by ids that were looked up before misses the one that has just been given a new id: say whose they are, not which.",
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
      await expectRead(t, node, first.id, null, "the old id is dead");
      t.equal((await node.get(rotated.id))?.userId, first.userId, "the new id works");
    }
    await expectNowhere(t, [rotated.id]);

    const all = await b.create(sessionInput(t));
    t.step("b gives a session a new id, a ends all of that user's; both wait for the same row");
    await using locked = await lockAllRows(t);
    const rotation = Promise.allSettled([b.rotate(all.id)]);
    await locked.waitedFor(1, rotation);
    const end = Promise.allSettled([a.destroyAll(all.userId)]);
    await locked.waitedFor(2, end);
    await locked[Symbol.asyncDispose]();
    const [[moved], [ended]] = await Promise.all([rotation, end]);
    const fresh = resultOf(t, moved, ["NOT_FOUND"], "a rotation that lost says so");
    if (resultOf(t, ended, [], "ending all sessions is not refused") === undefined) return;
    const over = "ending all of a user's sessions ends the one that is just being rotated";
    for (const session of [all, fresh ?? all])
      await expectWithinBound(t, [a, b], session.id, null, over);
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
    for (const name of await tablesOf(client)) {
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

/** Locks every row there is: a statement that begins now sees it as it is, and waits to change it. */
async function lockAllRows(t: SessionContext) {
  const client = new pg.Client({ connectionString: t.lease("postgres").adminUrl });
  await client.connect();
  await client.query("begin");
  for (const name of await tablesOf(client)) await client.query(`select from ${name} for update`);
  return {
    /** Until so many wait for it, or the call is over. */
    async waitedFor(count: number, call: Promise<unknown>): Promise<void> {
      let over = false;
      call.then(() => {
        over = true;
      });
      for (let tries = 0; tries < MOST_LOOKS && !over; tries++) {
        const { rowCount } = await client.query(
          `select from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock'`,
        );
        if ((rowCount ?? 0) >= count) return;
        await wait(10);
      }
    },
    /** The end of the connection is the end of its transaction. */
    [Symbol.asyncDispose]: () => client.end(),
  };
}

async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  return rows.map(({ name }) => name);
}
