/** Nodes of the reference on an experiment's servers, and a provider that tells them of payments. */
import { randomFrom } from "@db-katas/grading";
import type { Stage } from "@db-katas/measure";
import { Redis } from "ioredis";
import pg from "pg";
import type { Submission, WebhookEvent, WebhookNode } from "../contract.ts";
import { bytesOf, Purchase, signed } from "../grading/provider.ts";
import reference from "../src/index.ts";

const SECRET = "whsec_of_the_experiments";

/** What they all need. */
export const bothStores = {
  postgres: { engine: "postgres" },
  redis: { engine: "redis", isolation: "instance" },
} as const;

/** Servers of one's own, whose settings may be changed. */
export const ownStores = {
  postgres: { engine: "postgres", isolation: "instance" },
  redis: { engine: "redis", isolation: "instance" },
} as const;

export type Leases = Stage["leases"];

export function leasesOf(leases: Leases) {
  const { postgres, redis } = leases;
  if (!postgres || !redis) throw new Error("The experiment names postgres and redis.");
  return { postgres, redis };
}

/**
 * The engines of exercises don't wait for a disk in PostgreSQL, and do for each command in Redis. Where
 * the two are compared they are set as they are by default: `fsync` and `full_page_writes` are on
 * (PostgreSQL manual, 19.5.1), and `appendonly` is no (redis.conf).
 */
export async function setAsByDefault(leases: Leases): Promise<void> {
  const { postgres, redis } = leasesOf(leases);
  const admin = new pg.Client({ connectionString: postgres.engine.adminUrl });
  await admin.connect();
  try {
    for (const setting of ["fsync", "full_page_writes"]) {
      await admin.query(`ALTER SYSTEM SET ${setting} = on`);
    }
    await admin.query("SELECT pg_reload_conf()");
  } finally {
    await admin.end();
  }
  const client = new Redis(redis.adminUrl);
  try {
    await client.config("SET", "appendonly", "no");
  } finally {
    client.disconnect();
  }
}

/** Brings the database to the schema of the reference. */
export async function migrate(leases: Leases): Promise<void> {
  await reference.migrate(await leasesOf(leases).postgres.urlFor("migrations"));
}

/** @param changed default: a budget so long that a busy machine makes it slow, and doesn't fail it */
export async function openNode(
  leases: Leases,
  changed: Partial<Parameters<Submission["createNode"]>[0]> = {},
): Promise<WebhookNode> {
  const { name = "a" } = changed;
  const { postgres, redis } = leasesOf(leases);
  return await reference.createNode({
    name,
    postgres: await postgres.urlFor(name),
    redis: await redis.urlFor(name),
    signingSecrets: [SECRET],
    toleranceSeconds: 3_600,
    requestBudgetMs: 10_000,
    ...changed,
  });
}

/** @returns what makes payments that nobody has told of before; the same again for the same seed */
export function payments({ random }: Stage): () => Purchase {
  const t = { random: randomFrom(Math.floor(random() * 2 ** 32)) };
  return () => new Purchase(t);
}

/** @throws where the answer isn't 200 */
export async function tell(node: WebhookNode, event: WebhookEvent): Promise<void> {
  const { status } = await node.receive(signed(bytesOf(event), { secrets: [SECRET] }));
  if (status !== 200) throw new Error(`${event.type} was answered with ${status}.`);
}

/** As the provider does: until it is told 200. */
export async function tellUntilRecorded(node: WebhookNode, event: WebhookEvent): Promise<void> {
  for (;;) {
    const recorded = await tell(node, event).then(
      () => true,
      () => false,
    );
    if (recorded) return;
  }
}
