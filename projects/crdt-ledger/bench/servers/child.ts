/** What a server says to whoever has started its process, and is asked by them. */
import { once } from "node:events";

/** Where it takes connections: `ws://127.0.0.1:<port>`. */
export interface Ready {
  readonly address: string;
}

/** What it has taken so far. */
export interface Usage {
  readonly rssBytes: number;
  /** Processor time of all its threads, in microseconds. */
  readonly cpuUs: number;
}

/** Has what can be freed be freed first: it is nobody's memory. It takes a while, and compilers begin anew. */
export const FREED = "freed";

/** Tells where the server is, answers each message with {@link Usage}, and ends with whoever listens. */
export async function serve(address: string): Promise<void> {
  process.on("message", (message) => {
    // There without a flag: it isn't measured.
    if (message === FREED) globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    const usage: Usage = { rssBytes: process.memoryUsage.rss(), cpuUs: user + system };
    process.send?.(usage);
  });
  process.send?.({ address } satisfies Ready);
  await once(process, "disconnect");
  process.exit();
}
