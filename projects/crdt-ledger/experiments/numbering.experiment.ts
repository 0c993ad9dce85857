import { defineExperiment } from "@db-katas/measure";
import pg from "pg";

const WRITERS = 8;
/** What a change of a board takes, in bytes. */
const BYTES = Buffer.alloc(200, 7);

const SCHEMA = `
CREATE TABLE serial_log (id bigserial PRIMARY KEY, document text NOT NULL, bytes bytea NOT NULL);
CREATE TABLE counted (document text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE gapless_log (
  document text NOT NULL, position bigint NOT NULL, bytes bytea NOT NULL,
  PRIMARY KEY (document, position)
);
`;
const SERIAL = "INSERT INTO serial_log (document, bytes) VALUES ($1, $2)";
const GAPLESS = `
WITH moved AS (
  UPDATE counted SET position = position + 1 WHERE document = $1 RETURNING document, position
)
INSERT INTO gapless_log SELECT document, position, $2 FROM moved`;

/** Everything after what was read last, of all documents. Positions are of one document. */
const AFTER_ID = "SELECT id AS number FROM serial_log WHERE id > $1 ORDER BY id";
const AFTER_POSITION = `
SELECT position AS number FROM gapless_log WHERE document = 'd0' AND position > $1 ORDER BY position`;

export default defineExperiment({
  title: "What it costs to number rows in the order of their commits, and what it costs not to.",
  parameters: {
    documents: { what: "to which eight write at the same moment", full: 1, quick: 1 },
  },
  engines: { postgres: { engine: "postgres" } },
  contenders: {
    serial: { what: "a sequence numbers the rows: it gives a number before the commit" },
    gapless: { what: "a counter in a row of the document's, which is locked until the commit" },
  },
  metrics: {
    missed: {
      what: "rows that somebody never sees who asks for those after the last one that was there",
      kind: "value",
      unit: "rows",
    },
  },
  load: { kind: "closed", clients: WRITERS, ms: 400 },
  async open({ leases, parameters: { documents = 1 } }) {
    await using opening = new AsyncDisposableStack();
    const { postgres } = leases;
    if (!postgres) throw new Error("The experiment names postgres.");
    const pool = opening.adopt(
      new pg.Pool({ connectionString: postgres.adminUrl, max: WRITERS + 1 }),
      (each) => each.end(),
    );
    await pool.query(SCHEMA);
    const names = Array.from({ length: documents }, (_, i) => `d${i}`);
    await pool.query("INSERT INTO counted SELECT unnest($1::text[]), 0", [names]);
    const ways = {
      serial: { insert: SERIAL, after: AFTER_ID },
      gapless: { insert: GAPLESS, after: AFTER_POSITION },
    } as const;
    const lastRead = { serial: 0, gapless: 0 };
    const opened = opening.move();
    return {
      async measure(contender, turn) {
        const name = contender as keyof typeof ways;
        const { insert, after } = ways[name];
        const numbersAfter = async (number: number): Promise<number[]> => {
          const { rows } = await pool.query<{ number: string }>(after, [number]);
          return rows.map((row) => Number(row.number));
        };
        const from = lastRead[name];
        const seen = new Set<number>();
        let last = from;
        const look = async () => {
          for (const number of await numbersAfter(last)) {
            seen.add(number);
            last = Math.max(last, number);
          }
        };
        let isOver = false;
        const reading = (async () => {
          while (!isOver) await look();
        })();
        try {
          await turn.load((n) => pool.query(insert, [names[n % names.length], BYTES]));
        } finally {
          isOver = true;
          await reading;
        }
        await look();
        const stored = await numbersAfter(from);
        lastRead[name] = stored.at(-1) ?? from;
        turn.record("missed", stored.filter((number) => !seen.has(number)).length);
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});
