import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Lease, onLoopback, portsOf, TcpProxy } from "@db-katas/engines";
import {
  type Check,
  type RemoteSubmission,
  requestFor,
  type SubmissionContract,
} from "../check.ts";
import { engineOf } from "../kata.ts";
import { type CheckRun, MIGRATOR, spawnProcess } from "./spawn.ts";

/** Takes a lease on each engine of a check, prepared by the submission's migrations. */
export async function leaseAll(
  check: Check,
  run: CheckRun,
  leases: Map<string, Lease>,
): Promise<void> {
  // Settled, not raced: a lease that arrives after another one failed must still be given back.
  const outcomes = await Promise.allSettled(
    Object.entries(check.engines).map(async ([role, needs]) => {
      const build = check.prepare?.[role]?.build;
      const lease = await run.engines.lease(engineOf(role, needs), {
        ...requestFor(needs),
        ...(build && {
          template: {
            // Two roles of one engine are prepared in different ways.
            key: `${run.fingerprint} ${role}`,
            build: (url: string) =>
              withMigrator(run, url, (remote, reached) => build(remote, reached)),
          },
        }),
      });
      leases.set(role, lease);
      run.onEngine(lease.engine);
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

/** A process of the submission that prepares a store; it reaches it as app nodes do, through a proxy. */
async function withMigrator(
  run: CheckRun,
  url: string,
  build: (remote: RemoteSubmission<SubmissionContract>, url: string) => Promise<void>,
): Promise<void> {
  const file = new URL(url).protocol === "file:";
  await using proxied = file ? undefined : await throughProxies(url);
  const shared =
    run.isolation && file
      ? { id: run.isolation.newId(), folders: [dirname(fileURLToPath(url))] }
      : undefined;
  // The one that has loaded the submission will do where it may reach all that this takes.
  const loaded = shared || run.onInspector ? undefined : run.spare?.take();
  await using migrator = loaded ?? spawnProcess(MIGRATOR, run, shared);
  await migrator.ready;
  for (const port of proxied?.ports ?? []) await migrator.reach(port);
  await build({ migrate: (...args) => migrator.migrate(args) }, proxied?.address ?? url);
}

async function throughProxies(url: string) {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  const proxies = await Promise.all(
    [...portsOf(url)].map(async ([name, port]) => {
      const proxy = await TcpProxy.listen("migrate", () => ({ host, port }));
      return [name, proxy] as const;
    }),
  );
  const ports = new Map(proxies.map(([name, { port }]) => [name, port]));
  return {
    address: onLoopback(url, ports),
    ports: [...ports.values()],
    async [Symbol.asyncDispose]() {
      await Promise.all(proxies.map(([, proxy]) => proxy.close()));
    },
  };
}
