import { randomFrom } from "@db-katas/grading";
import type { Statement } from "../../contract.ts";
import { drawsFrom } from "../draws.ts";
import type { Workload } from "../workload.ts";

/** At scale 1. */
const SESSIONS = 1_000_000;
const READINGS = 2_000_000;

/** Room on each page for the rows' next versions, as one sets it for updates that touch no index (HOT). */
const SCHEMA = `
CREATE TABLE session (
  id bigint PRIMARY KEY, user_id integer NOT NULL, last_seen timestamptz NOT NULL, hits integer NOT NULL,
  state text NOT NULL) WITH (fillfactor = 70);
CREATE TABLE reading (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sensor integer NOT NULL, taken_at timestamptz NOT NULL,
  value double precision NOT NULL);
`;

const workload: Workload = {
  name: "write-heavy",
  summary:
    "sessions that are touched all the time and readings that only come in; the right answer is no index; 1,000,000 sessions at scale 1",
  smallScale: 0.03,
  async load(client, { scale, seed }) {
    const { integer, pick, share } = drawsFrom(seed);
    await client.query(SCHEMA);
    await client.query(`INSERT INTO session SELECT i, ${integer("i", "user", 1, Math.ceil(SESSIONS * scale * 0.7))},
      timestamptz '2030-01-01 00:00Z' + ${share("i", "seen")} * interval '7 days', ${integer("i", "hits", 1, 500)},
      ${pick("i", "state", ["active", "active", "active", "idle"])} FROM generate_series(1, ${Math.ceil(SESSIONS * scale)}) AS i`);
    await client.query(`INSERT INTO reading (sensor, taken_at, value) SELECT ${integer("i", "sensor", 1, 200)},
      timestamptz '2030-01-01 00:00Z' + i * interval '1 second', ${share("i", "value")} * 100
      FROM generate_series(1, ${Math.ceil(READINGS * scale)}) AS i`);
    await client.query("VACUUM ANALYZE");
  },
  statements: ({ scale, seed }) => statementsOf(randomFrom(seed), Math.ceil(SESSIONS * scale)),
};
export default workload;

/** The few that read would each like an index, on columns that the many write. */
function statementsOf(
  random: ReturnType<typeof randomFrom>,
  sessions: number,
): readonly Statement[] {
  const id = () => random.int(1, sessions);
  const at = "timestamptz '2030-01-08 12:00Z'";
  return [
    {
      sql: `UPDATE session SET last_seen = ${at}, hits = hits + 1 WHERE id = ${id()}`,
      calls: 5_000_000,
    },
    {
      sql: `UPDATE session SET state = 'idle', last_seen = ${at} WHERE id = ${id()}`,
      calls: 1_000_000,
    },
    {
      sql: `INSERT INTO reading (sensor, taken_at, value) VALUES (${random.int(1, 200)}, ${at}, 21.5)`,
      calls: 8_000_000,
    },
    { sql: `SELECT * FROM session WHERE id = ${id()}`, calls: 2_000_000 },
    { sql: "SELECT id, user_id FROM session ORDER BY last_seen LIMIT 10", calls: 12 },
    {
      sql: "SELECT count(*) FROM session WHERE state = 'idle' AND last_seen < '2030-01-01 00:05Z'",
      calls: 12,
    },
    { sql: `SELECT avg(value) FROM reading WHERE sensor = ${random.int(1, 200)}`, calls: 6 },
  ];
}
