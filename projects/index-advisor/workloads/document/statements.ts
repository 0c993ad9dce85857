import { randomFrom } from "@db-katas/grading";
import type { Statement } from "../../contract.ts";
import type { Size } from "../workload.ts";
import { COLOURS, countsAt, LABELS, ROOMS, SKUS, SYLLABLES } from "./rows.ts";

/** Each wants an index of another kind, some none; those about `stock` and `colour` ask for too many rows. */
export function statementsOf({ scale, seed }: Size): readonly Statement[] {
  const random = randomFrom(seed);
  const count = countsAt(scale);
  const syllables = (least: number) =>
    Array.from({ length: least }, () => random.pick(SYLLABLES.slice(0, 20))).join("");
  const price = random.int(100, 90_000);
  const night = `timestamptz '202${random.int(0, 9)}-0${random.int(1, 9)}-1${random.int(0, 9)} 20:00Z'`;
  const asked: readonly (readonly [calls: number, sql: string])[] = [
    [300, `SELECT id, title FROM article WHERE attributes @> '{"sku": "S${random.int(1, SKUS)}"}'`],
    [40, "SELECT id, title FROM article WHERE attributes ? 'recalled' ORDER BY id LIMIT 100"],
    [
      30,
      `SELECT id FROM article WHERE (attributes ->> 'price')::integer BETWEEN ${price} AND ${price + 60}`,
    ],
    [5, `SELECT count(*) FROM article WHERE attributes @> '{"colour": "${COLOURS[0]}"}'`],
    [120, `SELECT id, title FROM article WHERE tags @> ARRAY['supplier-${random.int(1, 2_000)}']`],
    [
      40,
      `SELECT id FROM article WHERE tags && ARRAY['supplier-${random.int(1, 2_000)}', 'supplier-${random.int(1, 2_000)}']`,
    ],
    [5, `SELECT count(*) FROM article WHERE tags @> ARRAY['${LABELS[0]}']`],
    [
      80,
      `SELECT id, title FROM article WHERE search @@ to_tsquery('simple', '${syllables(3)} & ${syllables(3)}')`,
    ],
    [
      60,
      `SELECT id, title FROM article WHERE search @@ to_tsquery('simple', '${syllables(3)}') ORDER BY created_at DESC LIMIT 20`,
    ],
    [60, `SELECT id, title FROM article WHERE title ILIKE '%${syllables(3)}%'`],
    [
      50,
      `SELECT id, title FROM article WHERE title LIKE '${syllables(2).replace(/^./, (first) => first.toUpperCase())}%' ORDER BY title LIMIT 20`,
    ],
    [
      200,
      `SELECT id FROM article WHERE lower(email) = '${syllables(3)}${random.int(1, count.article)}@example.org'`,
    ],
    [80, "SELECT id, title FROM article ORDER BY created_at DESC LIMIT 20"],
    [
      150,
      `SELECT id, guest FROM booking WHERE room = ${random.int(1, ROOMS)} AND during @> ${night}`,
    ],
    [
      50,
      `SELECT id, room, guest FROM booking WHERE during && tstzrange(${night}, ${night} + interval '2 hours')`,
    ],
    [3, `SELECT details ->> 'channel', count(*) FROM booking GROUP BY 1`],
    [
      150,
      `SELECT id, name FROM shop ORDER BY place <-> point(${random.int(1, 999)}, ${random.int(1, 999)}) LIMIT 10`,
    ],
    [
      30,
      `SELECT id, name FROM shop WHERE place <@ box '((${random.int(1, 400)}, 10), (${random.int(401, 420)}, 40))'`,
    ],
    [
      20,
      `INSERT INTO booking SELECT max(id) + 1, 1, tstzrange(now(), now() + interval '1 day'), 'Guest', '{}' FROM booking`,
    ],
  ];
  return asked.map(([calls, sql]) => ({ sql, calls }));
}
