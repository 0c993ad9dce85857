import { arrayOf, drawsFrom } from "../draws.ts";
import type { Size } from "../workload.ts";
import { countsAt, MOST_LINES, OFFERS } from "./counts.ts";
import {
  COLOURS,
  CONTAINER_SIZES,
  CONTAINERS,
  FINISHES,
  INSTRUCTIONS,
  METALS,
  MODES,
  NATIONS,
  PRIORITIES,
  REGIONS,
  REMARKS,
  SEGMENTS,
  SIZES,
} from "./words.ts";

/** Primary keys, as any database has them; no other index, which is what an advisor is for. */
export const SCHEMA = `
CREATE TABLE region (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE nation (id integer PRIMARY KEY, region_id integer NOT NULL, name text NOT NULL);
CREATE TABLE supplier (
  id integer PRIMARY KEY, nation_id integer NOT NULL, name text NOT NULL, phone text NOT NULL,
  balance numeric(12,2) NOT NULL, remark text NOT NULL);
CREATE TABLE customer (
  id integer PRIMARY KEY, nation_id integer NOT NULL, name text NOT NULL, phone text NOT NULL,
  balance numeric(12,2) NOT NULL, segment text NOT NULL, remark text NOT NULL);
CREATE TABLE part (
  id integer PRIMARY KEY, name text NOT NULL, maker text NOT NULL, brand text NOT NULL, kind text NOT NULL,
  size integer NOT NULL, container text NOT NULL, list_price numeric(12,2) NOT NULL);
CREATE TABLE partsupp (
  part_id integer NOT NULL, supplier_id integer NOT NULL, available integer NOT NULL,
  cost numeric(12,2) NOT NULL, PRIMARY KEY (part_id, supplier_id));
CREATE TABLE orders (
  id integer PRIMARY KEY, customer_id integer NOT NULL, status char(1) NOT NULL, total numeric(12,2) NOT NULL,
  placed_on date NOT NULL, priority text NOT NULL, clerk integer NOT NULL, remark text NOT NULL);
CREATE TABLE lineitem (
  order_id integer NOT NULL, line integer NOT NULL, part_id integer NOT NULL, supplier_id integer NOT NULL,
  quantity integer NOT NULL, price numeric(12,2) NOT NULL, discount numeric(4,2) NOT NULL,
  tax numeric(4,2) NOT NULL, return_flag char(1) NOT NULL, status char(1) NOT NULL, shipped_on date NOT NULL,
  due_on date NOT NULL, received_on date NOT NULL, instruction text NOT NULL, mode text NOT NULL,
  PRIMARY KEY (order_id, line));
`;

/** Until 2031-08-02, as long as TPC-H's seven years. */
export const FIRST_DAY = "2025-01-01";
export const DAYS = 2_405;
/** What was due before it has arrived. */
const TODAY = "2030-06-17";

/** One statement a table. Dates of a line come from its order's, as they do in life: the two are correlated. */
export function rowsOf({ scale, seed }: Size): readonly string[] {
  const count = countsAt(scale);
  const { integer, pick } = drawsFrom(seed);
  const nation = (name: string) => integer("i", name, 1, NATIONS.length);
  const phone = (prefix: string, name: string) =>
    `lpad((${prefix})::text, 2, '0') || '-' || ${integer("i", name, 1_000_000, 9_999_999)}`;
  const series = (last: number) => `generate_series(1, ${last}) AS i`;
  /** Never the same twice for one part: three steps don't go once around. */
  const steps = Math.floor(count.supplier / (OFFERS - 1)) - 1;
  const offered = (part: string, nth: string) =>
    `(1 + (${part} + ${nth} * (1 + ${part} / ${count.supplier} % ${steps})) % ${count.supplier})::integer`;
  const placed = `(date '${FIRST_DAY}' + ${integer("o", "order day", 0, DAYS - 1)})`;
  return [
    `INSERT INTO region SELECT i, (${arrayOf(REGIONS)})[i] FROM ${series(REGIONS.length)}`,
    `INSERT INTO nation SELECT i, 1 + (i - 1) / 5, (${arrayOf(NATIONS)})[i] FROM ${series(NATIONS.length)}`,
    `INSERT INTO supplier SELECT i, n, 'Supplier ' || i, ${phone("n", "supplier phone")},
       ${integer("i", "supplier balance", -99_999, 999_999)} / 100.0, ${pick("i", "supplier remark", REMARKS)}
     FROM ${series(count.supplier)}, LATERAL (SELECT ${nation("supplier nation")} AS n) AS d`,
    `INSERT INTO customer SELECT i, n, 'Customer ' || i, ${phone("n + 10", "customer phone")},
       ${integer("i", "customer balance", -99_999, 999_999)} / 100.0, ${pick("i", "segment", SEGMENTS)},
       ${pick("i", "customer remark", REMARKS)}
     FROM ${series(count.customer)}, LATERAL (SELECT ${nation("customer nation")} AS n) AS d`,
    `INSERT INTO part SELECT i, ${pick("i", "colour", COLOURS)} || ' ' || ${pick("i", "colour 2", COLOURS)},
       'Maker ' || m, 'Brand ' || m || ${integer("i", "brand", 1, 5)},
       ${pick("i", "kind size", SIZES)} || ' ' || ${pick("i", "finish", FINISHES)} || ' ' || ${pick("i", "metal", METALS)},
       ${integer("i", "part size", 1, 50)},
       ${pick("i", "container size", CONTAINER_SIZES)} || ' ' || ${pick("i", "container", CONTAINERS)},
       ${integer("i", "list price", 90_000, 210_000)} / 100.0
     FROM ${series(count.part)}, LATERAL (SELECT ${integer("i", "maker", 1, 5)} AS m) AS d`,
    `INSERT INTO partsupp SELECT i, ${offered("i", "nth")}, ${integer("i * 4 + nth", "available", 1, 9_999)},
       ${integer("i * 4 + nth", "cost", 100, 100_000)} / 100.0
     FROM ${series(count.part)}, generate_series(0, ${OFFERS - 1}) AS nth`,
    // A third of the customers never order.
    `INSERT INTO orders SELECT o, 3 * (${integer("o", "customer", 1, Math.floor(count.customer / 3))} - 1) + 1 + ${integer("o", "customer of three", 0, 1)},
       CASE WHEN placed < date '${TODAY}' - 120 THEN 'F' WHEN placed > date '${TODAY}' THEN 'O' ELSE 'P' END,
       ${integer("o", "total", 100_000, 40_000_000)} / 100.0, placed, ${pick("o", "priority", PRIORITIES)},
       ${integer("o", "clerk", 1, 1_000)}, ${pick("o", "order remark", REMARKS)}
     FROM generate_series(1, ${count.orders}) AS o, LATERAL (SELECT ${placed} AS placed) AS d`,
    `INSERT INTO lineitem SELECT o, line, p, ${offered("p", integer("k", "offer", 0, OFFERS - 1))}, q,
       q * ${integer("k", "unit price", 90_000, 210_000)} / 100.0, ${integer("k", "discount", 0, 10)} / 100.0,
       ${integer("k", "tax", 0, 8)} / 100.0,
       CASE WHEN received > date '${TODAY}' THEN 'N' ELSE ${pick("k", "returned", ["A", "R"])} END,
       CASE WHEN shipped > date '${TODAY}' THEN 'O' ELSE 'F' END, shipped,
       placed + ${integer("k", "due", 30, 90)}, received, ${pick("k", "instruction", INSTRUCTIONS)}, ${pick("k", "mode", MODES)}
     FROM generate_series(1, ${count.orders}) AS o, LATERAL (SELECT ${placed} AS placed) AS a,
       generate_series(1, ${integer("o", "lines", 1, MOST_LINES)}) AS line,
       LATERAL (SELECT o * 8::bigint + line AS k) AS b,
       LATERAL (SELECT ${integer("k", "part", 1, count.part)} AS p, ${integer("k", "quantity", 1, 50)} AS q,
         placed + ${integer("k", "shipped", 1, 121)} AS shipped) AS c,
       LATERAL (SELECT shipped + ${integer("k", "received", 1, 30)} AS received) AS e`,
  ];
}
