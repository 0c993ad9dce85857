/**
 * `pnpm --filter @db-katas/payment-webhooks demo [seed]`: two nodes behind HTTP, a provider that tells
 * everything several times and in any order, and a Redis that is killed in the middle of it.
 */
import { openEngines } from "@db-katas/engines";
import { kill } from "@db-katas/engines/faults/kill";
import { freshSeed, randomFrom } from "@db-katas/grading";
import type { WebhookEvent } from "../contract.ts";
import { bytesOf, Purchase, retold, signed } from "../grading/provider.ts";
import { serve } from "../src/http/server.ts";
import reference from "../src/index.ts";

const PAYMENTS = 40;
const WORKERS = 8;
const SECRET = "whsec_of_the_demonstration";

const seed = Number(process.argv[2] ?? freshSeed());
const t = { random: randomFrom(seed) };
await using engines = await openEngines();
await using postgres = await engines.lease("postgres");
await using redis = await engines.lease("redis", { isolation: "instance" });
await reference.migrate(await postgres.urlFor("migrate"));

const open = async (name: string) => {
  const node = await reference.createNode({
    name,
    postgres: await postgres.urlFor(name),
    redis: await redis.urlFor(name),
    signingSecrets: [SECRET],
    toleranceSeconds: 300,
    requestBudgetMs: 2_000,
  });
  return { node, door: await serve(node, 0) };
};
const [a, b] = [await open("a"), await open("b")];
await using _doors = new AsyncDisposableStack();
for (const { door } of [a, b]) _doors.use(door);
console.log(`seed ${seed}; nodes at ${a.door.url} and ${b.door.url}`);

const purchases = Array.from({ length: PAYMENTS }, () => new Purchase(t));
const events = purchases.flatMap((purchase) => {
  const own = [purchase.authorized(), purchase.captured(), purchase.refunded(purchase.amount / 4n)];
  return own.flatMap((event) => [event, event, retold(t, event)]);
});
const answers = new Map<number, number>();

/** As a provider does: until somebody says 200. */
async function tell(event: WebhookEvent): Promise<void> {
  for (;;) {
    const { headers, rawBody } = signed(bytesOf(event), { secrets: [SECRET] });
    const url = `${t.random.pick([a, b]).door.url}/webhooks`;
    const { status } = await fetch(url, { method: "POST", headers, body: Buffer.from(rawBody) });
    answers.set(status, (answers.get(status) ?? 0) + 1);
    if (status === 200) return;
  }
}

const told = t.random.shuffle(events);
const queue = told.values();
const workers = Array.from({ length: WORKERS }, async () => {
  for (const event of queue) await tell(event);
});
console.log(`${told.length} deliveries of ${3 * PAYMENTS} things that happened, in any order`);
const outage = await redis.inject(kill);
console.log("Redis is killed");
await Promise.all(workers);
await outage.heal();

const expected = purchases.reduce((sum, { amount }) => sum + amount - amount / 4n, 0n);
const balance = await b.node.balance("EUR");
const shipped = (await a.node.fulfilments(1_000)).length;
const said = [...answers].map(([status, times]) => `${times} × ${status}`).join(", ");
console.log(`answers: ${said}`);
console.log(`balance: ${balance} cents, expected ${expected}`);
console.log(`orders to ship: ${shipped}, expected ${PAYMENTS}`);
process.exitCode = balance === expected && shipped === PAYMENTS ? 0 : 1;
