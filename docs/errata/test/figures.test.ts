/** The arithmetic of the errata. */
import { expect, test } from "vitest";

const GB = 1e9;

test("a million vectors of 1536 dimensions are 6.1 GB before there is any index", () => {
  const raw = (1_000_000 * 1_536 * Float32Array.BYTES_PER_ELEMENT) / GB;
  expect(raw).toBeCloseTo(6.1, 1);
  const table = { qdrant: 3.2, pgvector: 5.1, milvus: 1.8, weaviate: 3.8, chroma: 6.4 };
  const below = Object.entries(table).filter(([, memory]) => memory < raw);
  expect(below.map(([name]) => name)).toEqual(["qdrant", "pgvector", "milvus", "weaviate"]);
  // Milvus' row is product quantization, which needn't keep them. In one byte a dimension it would be:
  expect(raw / 4).toBeCloseTo(1.5, 1);
});

test("by its own figures the rule of thumb moves on from pgvector at one million vectors", () => {
  const pgvector = { vectors: 1_000_000, p99Ms: 85 };
  const movesOn = pgvector.p99Ms > 50 || pgvector.vectors > 10_000_000;
  expect(movesOn).toBe(true);
});

test("between five and ten million vectors section 3.3 has an answer for nobody", () => {
  const choices = (millions: number) => [millions < 5 && "extension", millions > 10 && "dedicated"];
  expect(choices(7).filter(Boolean)).toEqual([]);
});

test("P99 of relational databases is below 10 ms in one table and above in the next", () => {
  const relational = { from: 0, below: 10 };
  const oltp = { from: 10, to: 100 };
  expect(oltp.from).toBeGreaterThanOrEqual(relational.below);
});

test("99.99 % are 53 minutes a year", () => {
  expect((1 - 0.9999) * 365.25 * 24 * 60).toBeCloseTo(52.6, 1);
});

test("the pattern of the fraud graph has two relationships, never more than three", () => {
  const pattern = "(u)-[:USED_DEVICE]->(d)-[:SAME_IP]->(u2)";
  const hops = pattern.match(/-\[[^\]]*\]->/g)?.length;
  expect(hops).toBe(2);
});

test("a hop costs as many steps as the node has neighbours, and hops multiply", () => {
  const neighbours = new Map<string, string[]>([
    ["office", Array.from({ length: 500 }, (_, n) => `user-${n}`)],
  ]);
  for (let n = 0; n < 500; n++) neighbours.set(`user-${n}`, ["office"]);
  let steps = 0;
  let front = ["user-0"];
  for (let hop = 0; hop < 3; hop++) {
    front = front.flatMap((node) => {
      const next = neighbours.get(node) ?? [];
      steps += next.length;
      return next;
    });
  }
  expect(steps).toBe(1 + 500 + 500);
});

test("two replicas that each see a balance of 100 pay out 160", () => {
  // A counter CRDT of the usual kind: increments and decrements of each replica, merged by maximum.
  type Counter = { plus: number[]; minus: number[] };
  const value = ({ plus, minus }: Counter) =>
    plus.reduce((a, b) => a + b, 0) - minus.reduce((a, b) => a + b, 0);
  const merge = (one: Counter, other: Counter): Counter => ({
    plus: one.plus.map((n, at) => Math.max(n, other.plus[at] ?? 0)),
    minus: one.minus.map((n, at) => Math.max(n, other.minus[at] ?? 0)),
  });
  const start = { plus: [100, 0], minus: [0, 0] };
  const pay = (counter: Counter, replica: number, amount: number): Counter => {
    if (value(counter) < amount) throw new Error("not enough");
    return { ...counter, minus: counter.minus.map((n, at) => (at === replica ? n + amount : n)) };
  };
  const [one, other] = [pay(start, 0, 80), pay(start, 1, 80)];
  expect(value(merge(one, other))).toBe(-60);
  expect(merge(one, other)).toEqual(merge(other, one));
});

test("a fifth shard moves four fifths of the keys", () => {
  const keys = Array.from({ length: 20_000 }, (_, n) => n);
  const moved = keys.filter((key) => key % 4 !== key % 5).length / keys.length;
  expect(moved).toBe(0.8);
});

test("1640995200 in nanoseconds is two seconds after the epoch", () => {
  const at = (perSecond: number) => new Date((1_640_995_200 / perSecond) * 1_000).getUTCFullYear();
  expect(at(1)).toBe(2022);
  expect(at(1e9)).toBe(1970);
});

test("a phone number in a Fernet token has 100 characters", () => {
  // Version, time stamp, initial vector, padded text, HMAC; all in Base64:
  // https://github.com/fernet/spec/blob/master/Spec.md
  const length = (text: string) => {
    const padded = 16 * (Math.floor(text.length / 16) + 1);
    return 4 * Math.ceil((1 + 8 + 16 + padded + 32) / 3);
  };
  expect(length("+49 30 1234567")).toBe(100);
});
