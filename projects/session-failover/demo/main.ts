/**
 * `pnpm --filter @db-katas/session-failover demo`: starts PostgreSQL, Redis and two servers, and a
 * page on which one breaks Redis and watches. Ctrl-C ends all of it. `PORT` chooses the port.
 */
import type { AddressInfo } from "node:net";
import { demoApp } from "./app.ts";
import { Cluster } from "./cluster.ts";

const PORT = Number(process.env.PORT ?? 4270);
const asked = Promise.withResolvers<void>();
let ending = false;
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // Somebody insists. The engines end by themselves when this process is gone.
    if (ending) process.exit(130);
    ending = true;
    asked.resolve();
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  say("Starting PostgreSQL, Redis and two servers …");
  await using cluster = await Cluster.open(say);
  const app = await demoApp(cluster);
  await app.listen({ host: "127.0.0.1", port: PORT });
  const { port } = app.server.address() as AddressInfo;
  say(`Open http://127.0.0.1:${port}/ and break Redis. Ctrl-C ends everything.`);
  await asked.promise;
  say("Ending …");
  await app.close();
} catch (error) {
  const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  process.stderr.write(
    inUse
      ? `Port ${PORT} is taken, perhaps by another demo. Choose one: PORT=4271 pnpm --filter @db-katas/session-failover demo\n`
      : `${error instanceof Error ? error.message : error}\n`,
  );
  process.exitCode = 1;
}
