/** Measurements in the order of time, bookings of ranges, places: brin, gist, nearest neighbours. */
import { type Schema, share, skewed, templates, whole } from "./schema.ts";

export const readings: Schema = {
  name: "readings",
  rows: 120_000,
  setup: (rows) => [
    `CREATE TABLE readings (taken_at timestamp NOT NULL, device int NOT NULL, kind smallint NOT NULL,
       value float8 NOT NULL, status text NOT NULL, batch int)`,
    `INSERT INTO readings SELECT timestamp '2026-01-01' + n * interval '10 seconds', ${whole(1, 800)},
       ${skewed(2, 6)}, ${share(3)} * 1000, CASE WHEN ${share(4)} < 0.004 THEN 'bad' WHEN ${share(5)} < 0.1 THEN 'late' ELSE 'ok' END,
       n / 500
     FROM generate_series(1, ${rows}) AS n`,
    `CREATE TABLE bookings (id int PRIMARY KEY, room int NOT NULL, during tsrange NOT NULL, guest text NOT NULL)`,
    `INSERT INTO bookings SELECT n, ${whole(6, 300)},
       tsrange(timestamp '2026-01-01' + ${whole(7, 8_000)} * interval '1 hour', timestamp '2026-01-01' + ${whole(7, 8_000)} * interval '1 hour' + (1 + ${whole(8, 5)}) * interval '1 hour'),
       'g' || ${whole(9, 5_000)}
     FROM generate_series(1, ${Math.round(rows / 5)}) AS n`,
    `CREATE TABLE places (id int PRIMARY KEY, at point NOT NULL, kind int NOT NULL, name text NOT NULL)`,
    `INSERT INTO places SELECT n, point(${share(10)} * 1000, ${share(11)} * 1000), ${skewed(12, 30)}, 'p' || md5(n::text)
     FROM generate_series(1, ${Math.round(rows / 5)}) AS n`,
    `CREATE TABLE devices (id int PRIMARY KEY, site int NOT NULL, model text NOT NULL)`,
    `INSERT INTO devices SELECT n, ${whole(13, 40)}, 'm' || ${skewed(14, 12)} FROM generate_series(0, 799) AS n`,
  ],
  templates: templates("readings", {
    "of an hour": (r) => {
      const hour = r.int(0, 300);
      return `SELECT avg(value) FROM readings WHERE taken_at >= timestamp '2026-01-01' + interval '${hour} hours' AND taken_at < timestamp '2026-01-01' + interval '${hour + r.pick([1, 24])} hours'`;
    },
    "since then": (r) =>
      `SELECT count(*) FROM readings WHERE taken_at > timestamp '2026-01-${r.pick(["03", "13"])}'`,
    "of a device": (r) =>
      `SELECT count(*), max(value) FROM readings WHERE device = ${r.int(0, 799)}`,
    "last of a device": (r) =>
      `SELECT taken_at, value FROM readings WHERE device = ${r.int(0, 799)} ORDER BY taken_at DESC LIMIT 1`,
    "of a device and a kind": (r) =>
      `SELECT taken_at, value FROM readings WHERE device = ${r.int(0, 799)} AND kind = ${r.int(0, 5)}`,
    "of a device on a day": (r) =>
      `SELECT value FROM readings WHERE device = ${r.int(0, 799)} AND taken_at BETWEEN '2026-01-0${r.int(1, 9)}' AND '2026-01-10'`,
    "of a kind": (r) => `SELECT sum(value) FROM readings WHERE kind = ${r.int(0, 5)}`,
    high: (r) => `SELECT device, value FROM readings WHERE value > ${r.pick([500, 999, 999.9])}`,
    highest: () => "SELECT device, value FROM readings ORDER BY value DESC LIMIT 10",
    "bad ones": () => "SELECT taken_at, device FROM readings WHERE status = 'bad'",
    "good ones": () => "SELECT count(*) FROM readings WHERE status = 'ok'",
    "bad ones of a kind by time": (r) =>
      `SELECT taken_at FROM readings WHERE status = '${r.pick(["bad", "late"])}' AND kind = ${r.int(0, 5)} ORDER BY taken_at LIMIT 100`,
    "of a batch": (r) => `SELECT * FROM readings WHERE batch = ${r.int(0, 239)}`,
    "of some batches": (r) => {
      const batch = r.int(0, 200);
      return `SELECT max(value) FROM readings WHERE batch BETWEEN ${batch} AND ${batch + r.pick([1, 30])}`;
    },
    "by kind": () => "SELECT kind, avg(value) FROM readings GROUP BY kind",
    "by device, sorted": () =>
      "SELECT device, count(*) FROM readings GROUP BY device ORDER BY device",
    "of a day, by function": (r) =>
      `SELECT count(*) FROM readings WHERE date_trunc('day', taken_at) = '2026-01-0${r.int(1, 9)}'`,
    "of a site": (r) =>
      `SELECT avg(x.value) FROM devices d JOIN readings x ON x.device = d.id WHERE d.site = ${r.int(0, 39)}`,
    "bad ones of a model": (r) =>
      `SELECT x.taken_at FROM devices d JOIN readings x ON x.device = d.id WHERE d.model = 'm${r.int(0, 11)}' AND x.status = 'bad'`,
    "booked at a moment": (r) =>
      `SELECT id, room FROM bookings WHERE during @> timestamp '2026-0${r.int(1, 9)}-11 10:30'`,
    overlapping: (r) =>
      `SELECT id FROM bookings WHERE during && tsrange('2026-0${r.int(1, 9)}-03 08:00', '2026-0${r.int(1, 9)}-2${r.int(0, 8)} 08:00')`.replace(
        /tsrange\('([^']+)', '([^']+)'\)/,
        (_, a: string, b: string) =>
          a < b ? `tsrange('${a}', '${b}')` : `tsrange('${b}', '${a}')`,
      ),
    "a room at a moment": (r) =>
      `SELECT guest FROM bookings WHERE room = ${r.int(0, 299)} AND during @> timestamp '2026-0${r.int(1, 9)}-11 10:30'`,
    "of a guest": (r) => `SELECT id, during FROM bookings WHERE guest = 'g${r.int(0, 4_999)}'`,
    "nearest places": (r) =>
      `SELECT id FROM places ORDER BY at <-> point(${r.int(0, 999)}, ${r.int(0, 999)}) LIMIT 5`,
    "nearest places of a kind": (r) =>
      `SELECT id FROM places WHERE kind = ${r.int(0, 29)} ORDER BY at <-> point(${r.int(0, 999)}, ${r.int(0, 999)}) LIMIT 5`,
    "places in a box": (r) => {
      const [x, y, side] = [r.int(0, 900), r.int(0, 900), r.pick([10, 90])];
      return `SELECT id, name FROM places WHERE at <@ box(point(${x}, ${y}), point(${x + side}, ${y + side}))`;
    },
    "places by name": (r) => `SELECT id FROM places WHERE name = 'p' || md5('${r.int(1, 24_000)}')`,
  }),
};
