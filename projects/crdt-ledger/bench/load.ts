/** Everybody at once: each client sends on as soon as one of its changes has arrived. */
import type { Relay } from "./relay.ts";

export interface Load {
  readonly clients: number;
  /** Of each client. */
  readonly changes: number;
  /** Of one client's that are on their way at a time. */
  readonly inFlight: number;
}

export interface Sample {
  readonly perSecond: number;
  /** From sending to arriving at another client, in milliseconds, one for each change. */
  readonly latencies: readonly number[];
  /** Processor time of the server for one change, in microseconds: PostgreSQL's isn't in it. */
  readonly cpuUs: number;
}

/** How long all of a run may take, in milliseconds: a server that has thrown a change away says nothing. */
const PATIENCE_MS = 120_000;

/** @throws when a change is refused, a connection closed, or something doesn't arrive at all */
export async function run(relay: Relay, { clients, changes, inFlight }: Load): Promise<Sample> {
  await relay.prepare(changes);
  const latencies: number[] = [];
  const before = await relay.usage();
  const begin = performance.now();
  const client = async (number: number): Promise<void> => {
    let left = changes;
    const sender = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const from = performance.now();
        await relay.deliver(number);
        latencies.push(performance.now() - from);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, sender));
  };
  const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  const { promise: late, reject } = Promise.withResolvers<never>();
  const patience = setTimeout(() => {
    const missing = clients * changes - latencies.length;
    reject(new Error(`${missing} changes did not arrive within ${PATIENCE_MS / 1_000} s.`));
  }, PATIENCE_MS);
  await Promise.race([all, late]).finally(() => clearTimeout(patience));
  const seconds = (performance.now() - begin) / 1_000;
  const after = await relay.usage();
  return {
    perSecond: latencies.length / seconds,
    latencies,
    cpuUs: (after.cpuUs - before.cpuUs) / latencies.length,
  };
}
