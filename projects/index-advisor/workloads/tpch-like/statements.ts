import { type Random, randomFrom } from "@db-katas/grading";
import type { Statement } from "../../contract.ts";
import type { Size } from "../workload.ts";
import {
  COLOURS,
  CONTAINER_SIZES,
  CONTAINERS,
  FINISHES,
  METALS,
  MODES,
  NATIONS,
  REGIONS,
  SEGMENTS,
  SIZES,
} from "./words.ts";

/**
 * 22 reports with the tables, joins and predicates of TPC-H's queries, in the same order. In 17 and 20
 * an aggregate is taken once for each part, where TPC-H's text has it once for each line, or for each
 * offer: without an index those run for an hour, and studies leave them out (J. Kossmann et al., "Magic
 * mirror in my hand, which is the best in the land?", VLDB 2020, section 5).
 */
export function statementsOf({ scale, seed }: Size): readonly Statement[] {
  const random = randomFrom(seed);
  return REPORTS.map((report) => ({ sql: report(random, scale), calls: 1 }));
}

type Report = (random: Random, scale: number) => string;

/** The first of a month in the first six years. */
const month = (random: Random) => `date '20${random.int(25, 29)}-0${random.int(1, 9)}-01'`;
const year = (random: Random) => `date '20${random.int(25, 29)}-01-01'`;
const text = (random: Random, texts: readonly string[]) => `'${random.pick(texts)}'`;
const brand = (random: Random) => `'Brand ${random.int(1, 5)}${random.int(1, 5)}'`;
const container = (random: Random) =>
  `'${random.pick(CONTAINER_SIZES)} ${random.pick(CONTAINERS)}'`;

const REPORTS: readonly Report[] = [
  // 1: all but the last weeks
  (
    random,
  ) => `SELECT return_flag, status, sum(quantity), sum(price), sum(price * (1 - discount)) AS net,
  avg(quantity), avg(price), avg(discount), count(*)
FROM lineitem WHERE shipped_on <= date '2031-12-01' - ${random.int(60, 120)}
GROUP BY return_flag, status ORDER BY return_flag, status`,
  // 2: the cheapest offer of a region
  (random) => {
    const region = text(random, REGIONS);
    return `SELECT s.balance, s.name, n.name, p.id, p.maker, s.phone
FROM part p JOIN partsupp o ON o.part_id = p.id JOIN supplier s ON s.id = o.supplier_id
  JOIN nation n ON n.id = s.nation_id JOIN region r ON r.id = n.region_id
WHERE p.size = ${random.int(1, 50)} AND p.kind LIKE '%${random.pick(METALS)}' AND r.name = ${region}
  AND o.cost = (SELECT min(o2.cost) FROM partsupp o2 JOIN supplier s2 ON s2.id = o2.supplier_id
    JOIN nation n2 ON n2.id = s2.nation_id JOIN region r2 ON r2.id = n2.region_id
    WHERE o2.part_id = p.id AND r2.name = ${region})
ORDER BY s.balance DESC, n.name, s.name, p.id LIMIT 100`;
  },
  // 3: open orders worth most
  (random) => {
    const day = `date '2028-03-${random.int(10, 28)}'`;
    return `SELECT l.order_id, sum(l.price * (1 - l.discount)) AS revenue, o.placed_on
FROM customer c JOIN orders o ON o.customer_id = c.id JOIN lineitem l ON l.order_id = o.id
WHERE c.segment = ${text(random, SEGMENTS)} AND o.placed_on < ${day} AND l.shipped_on > ${day}
GROUP BY l.order_id, o.placed_on ORDER BY revenue DESC, o.placed_on LIMIT 10`;
  },
  // 4: orders with a late line
  (random) => {
    const from = month(random);
    return `SELECT priority, count(*) FROM orders o
WHERE placed_on >= ${from} AND placed_on < ${from} + interval '3 months'
  AND EXISTS (SELECT FROM lineitem l WHERE l.order_id = o.id AND l.due_on < l.received_on)
GROUP BY priority ORDER BY priority`;
  },
  // 5: revenue within a region
  (random) => {
    const from = year(random);
    return `SELECT n.name, sum(l.price * (1 - l.discount)) AS revenue
FROM customer c JOIN orders o ON o.customer_id = c.id JOIN lineitem l ON l.order_id = o.id
  JOIN supplier s ON s.id = l.supplier_id AND s.nation_id = c.nation_id
  JOIN nation n ON n.id = s.nation_id JOIN region r ON r.id = n.region_id
WHERE r.name = ${text(random, REGIONS)} AND o.placed_on >= ${from} AND o.placed_on < ${from} + interval '1 year'
GROUP BY n.name ORDER BY revenue DESC`;
  },
  // 6: what a smaller discount would have brought
  (random) => {
    const from = year(random);
    const discount = random.int(2, 9);
    return `SELECT sum(price * discount) FROM lineitem
WHERE shipped_on >= ${from} AND shipped_on < ${from} + interval '1 year'
  AND discount BETWEEN 0.0${discount - 1} AND ${(discount + 1) / 100} AND quantity < ${random.int(24, 25)}`;
  },
  // 7: trade between two nations
  (random) => {
    const [one, other] = random.shuffle(NATIONS);
    return `SELECT ns.name, nc.name, extract(year FROM l.shipped_on) AS year, sum(l.price * (1 - l.discount))
FROM supplier s JOIN lineitem l ON l.supplier_id = s.id JOIN orders o ON o.id = l.order_id
  JOIN customer c ON c.id = o.customer_id JOIN nation ns ON ns.id = s.nation_id JOIN nation nc ON nc.id = c.nation_id
WHERE ((ns.name = '${one}' AND nc.name = '${other}') OR (ns.name = '${other}' AND nc.name = '${one}'))
  AND l.shipped_on BETWEEN date '2028-01-01' AND date '2029-12-31'
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;
  },
  // 8: a nation's share of a market
  (random) => `SELECT extract(year FROM o.placed_on) AS year,
  sum(CASE WHEN ns.name = ${text(random, NATIONS)} THEN l.price * (1 - l.discount) ELSE 0 END) / sum(l.price * (1 - l.discount))
FROM part p JOIN lineitem l ON l.part_id = p.id JOIN supplier s ON s.id = l.supplier_id
  JOIN orders o ON o.id = l.order_id JOIN customer c ON c.id = o.customer_id
  JOIN nation nc ON nc.id = c.nation_id JOIN region r ON r.id = nc.region_id JOIN nation ns ON ns.id = s.nation_id
WHERE r.name = ${text(random, REGIONS)} AND o.placed_on BETWEEN date '2028-01-01' AND date '2029-12-31'
  AND p.kind = '${random.pick(SIZES)} ${random.pick(FINISHES)} ${random.pick(METALS)}'
GROUP BY 1 ORDER BY 1`,
  // 9: profit of a line of parts
  (random) => `SELECT n.name, extract(year FROM o.placed_on) AS year,
  sum(l.price * (1 - l.discount) - ps.cost * l.quantity) AS profit
FROM part p JOIN lineitem l ON l.part_id = p.id JOIN supplier s ON s.id = l.supplier_id
  JOIN partsupp ps ON ps.part_id = l.part_id AND ps.supplier_id = l.supplier_id
  JOIN orders o ON o.id = l.order_id JOIN nation n ON n.id = s.nation_id
WHERE p.name LIKE '%${random.pick(COLOURS)}%' GROUP BY 1, 2 ORDER BY 1, 2 DESC`,
  // 10: customers who sent things back
  (random) => {
    const from = month(random);
    return `SELECT c.id, c.name, sum(l.price * (1 - l.discount)) AS revenue, c.balance, n.name, c.phone
FROM customer c JOIN orders o ON o.customer_id = c.id JOIN lineitem l ON l.order_id = o.id
  JOIN nation n ON n.id = c.nation_id
WHERE o.placed_on >= ${from} AND o.placed_on < ${from} + interval '3 months' AND l.return_flag = 'R'
GROUP BY c.id, n.name ORDER BY revenue DESC LIMIT 20`;
  },
  // 11: a nation's most valuable stock
  (random, scale) => {
    const nation = text(random, NATIONS);
    return `SELECT o.part_id, sum(o.cost * o.available) AS value
FROM partsupp o JOIN supplier s ON s.id = o.supplier_id JOIN nation n ON n.id = s.nation_id
WHERE n.name = ${nation} GROUP BY o.part_id
HAVING sum(o.cost * o.available) > (SELECT sum(o2.cost * o2.available) * ${0.0001 / scale}
  FROM partsupp o2 JOIN supplier s2 ON s2.id = o2.supplier_id JOIN nation n2 ON n2.id = s2.nation_id
  WHERE n2.name = ${nation})
ORDER BY value DESC`;
  },
  // 12: late lines by mode of shipping
  (random) => {
    const from = year(random);
    const [one, other] = random.shuffle(MODES);
    return `SELECT l.mode, count(*) FILTER (WHERE o.priority < '3'), count(*) FILTER (WHERE o.priority >= '3')
FROM orders o JOIN lineitem l ON l.order_id = o.id
WHERE l.mode IN ('${one}', '${other}') AND l.due_on < l.received_on AND l.shipped_on < l.due_on
  AND l.received_on >= ${from} AND l.received_on < ${from} + interval '1 year'
GROUP BY l.mode ORDER BY l.mode`;
  },
  // 13: customers by their number of orders
  () => `SELECT orders, count(*) FROM (
  SELECT c.id, count(o.id) AS orders FROM customer c
    LEFT JOIN orders o ON o.customer_id = c.id AND o.remark NOT LIKE '%special%requests%'
  GROUP BY c.id) AS each
GROUP BY orders ORDER BY 2 DESC, 1 DESC`,
  // 14: the share of promoted parts in a month
  (random) => {
    const from = month(random);
    return `SELECT 100.0 * sum(CASE WHEN p.kind LIKE 'tiny%' THEN l.price * (1 - l.discount) ELSE 0 END)
  / sum(l.price * (1 - l.discount))
FROM lineitem l JOIN part p ON p.id = l.part_id
WHERE l.shipped_on >= ${from} AND l.shipped_on < ${from} + interval '1 month'`;
  },
  // 15: the supplier of a quarter
  (random) => {
    const from = month(random);
    return `WITH revenue AS (SELECT supplier_id, sum(price * (1 - discount)) AS total FROM lineitem
  WHERE shipped_on >= ${from} AND shipped_on < ${from} + interval '3 months' GROUP BY supplier_id)
SELECT s.id, s.name, s.phone, r.total FROM supplier s JOIN revenue r ON r.supplier_id = s.id
WHERE r.total = (SELECT max(total) FROM revenue) ORDER BY s.id`;
  },
  // 16: how many suppliers offer a kind of part
  (random) => {
    const sizes = random.shuffle(Array.from({ length: 50 }, (_, i) => i + 1)).slice(0, 8);
    return `SELECT p.brand, p.kind, p.size, count(DISTINCT o.supplier_id) AS suppliers
FROM partsupp o JOIN part p ON p.id = o.part_id
WHERE p.brand <> ${brand(random)} AND p.kind NOT LIKE '${random.pick(SIZES)} ${random.pick(FINISHES)}%'
  AND p.size IN (${sizes.join(", ")})
  AND o.supplier_id NOT IN (SELECT id FROM supplier WHERE remark LIKE '%customer%complaint%')
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3`;
  },
  // 17: revenue from small orders of a part
  (random) => `SELECT sum(l.price) / 7.0 AS yearly
FROM part p
  CROSS JOIN LATERAL (SELECT 0.2 * avg(quantity) AS few FROM lineitem WHERE part_id = p.id) AS usual
  JOIN lineitem l ON l.part_id = p.id AND l.quantity < usual.few
WHERE p.brand = ${brand(random)} AND p.container = ${container(random)}`,
  // 18: customers with a very large order
  (random) => `SELECT c.name, c.id, o.id, o.placed_on, o.total, sum(l.quantity)
FROM customer c JOIN orders o ON o.customer_id = c.id JOIN lineitem l ON l.order_id = o.id
WHERE o.id IN (SELECT order_id FROM lineitem GROUP BY order_id HAVING sum(quantity) > ${random.int(300, 315)})
GROUP BY c.id, o.id ORDER BY o.total DESC, o.placed_on LIMIT 100`,
  // 19: three kinds of bargains
  (random) => {
    const arm = (sizes: string, least: number, size: number) =>
      `(p.brand = ${brand(random)} AND p.container IN ('${sizes} bag', '${sizes} box', '${sizes} case')
    AND l.quantity BETWEEN ${least} AND ${least + 10} AND p.size BETWEEN 1 AND ${size})`;
    return `SELECT sum(l.price * (1 - l.discount)) FROM lineitem l JOIN part p ON p.id = l.part_id
WHERE l.mode IN ('air', 'courier') AND l.instruction = 'hand over' AND (
  ${arm("small", random.int(1, 10), 5)}
  OR ${arm("medium", random.int(10, 20), 10)}
  OR ${arm("big", random.int(20, 30), 15)})`;
  },
  // 20: suppliers with more than they will need
  (random) => {
    const from = year(random);
    return `SELECT s.name, s.phone FROM supplier s JOIN nation n ON n.id = s.nation_id
WHERE n.name = ${text(random, NATIONS)} AND s.id IN (
  SELECT o.supplier_id FROM partsupp o JOIN (
    SELECT l.part_id, l.supplier_id, 0.5 * sum(l.quantity) AS half
    FROM part p JOIN lineitem l ON l.part_id = p.id
    WHERE p.name LIKE '${random.pick(COLOURS)}%' AND l.shipped_on >= ${from} AND l.shipped_on < ${from} + interval '1 year'
    GROUP BY l.part_id, l.supplier_id) AS sold ON sold.part_id = o.part_id AND sold.supplier_id = o.supplier_id
  WHERE o.available > sold.half)
ORDER BY s.name`;
  },
  // 21: suppliers who alone kept an order waiting
  (random) => `SELECT s.name, count(*) AS times
FROM supplier s JOIN lineitem l ON l.supplier_id = s.id JOIN orders o ON o.id = l.order_id
  JOIN nation n ON n.id = s.nation_id
WHERE o.status = 'F' AND l.received_on > l.due_on AND n.name = ${text(random, NATIONS)}
  AND EXISTS (SELECT FROM lineitem other WHERE other.order_id = l.order_id AND other.supplier_id <> l.supplier_id)
  AND NOT EXISTS (SELECT FROM lineitem late WHERE late.order_id = l.order_id
    AND late.supplier_id <> l.supplier_id AND late.received_on > late.due_on)
GROUP BY s.name ORDER BY times DESC, s.name LIMIT 100`,
  // 22: customers with money who don't order
  (random) => {
    const codes = random.shuffle(Array.from({ length: 25 }, (_, i) => `'${i + 11}'`)).slice(0, 7);
    const among = `substring(phone FROM 1 FOR 2) IN (${codes.join(", ")})`;
    return `SELECT substring(phone FROM 1 FOR 2) AS code, count(*), sum(balance) FROM customer c
WHERE ${among} AND balance > (SELECT avg(balance) FROM customer WHERE balance > 0 AND ${among})
  AND NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id)
GROUP BY code ORDER BY code`;
  },
];
