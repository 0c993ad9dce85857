/** A server of the reference's on a database of its own, and who comes to it. */
import { once } from "node:events";
import type { Lease } from "@db-katas/engines";
import { SignJWT } from "jose";
import { WebSocket } from "ws";
import type { Actor } from "../../contract.ts";
import { migrate } from "../../src/migrate.ts";
import { startServer } from "../../src/server/server.ts";

const SECRET = "a secret that the test knows";
const BUDGET_MS = 20_000;

export async function started(postgres: Lease): ReturnType<typeof startServer> {
  await migrate(await postgres.urlFor("migrations"));
  return startServer({
    role: "server",
    name: "a",
    treasurer: "treasury",
    postgres: await postgres.urlFor("a"),
    secret: SECRET,
    requestBudgetMs: BUDGET_MS,
    limits: { changeBytes: 65_536, frameBytes: 524_288, backlogBytes: 1_048_576 },
  });
}

/** Resolves when the actor has been told all that there is on `board`. */
export async function joined(address: string, actor: Actor): Promise<WebSocket> {
  const token = await new SignJWT({ doc: "board" })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(actor)
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(SECRET));
  const client = new WebSocket(`${address}/board?token=${token}`);
  await once(client, "open");
  client.send(JSON.stringify({ type: "hello", version: {} }));
  await once(client, "message");
  return client;
}
