import type { Redis } from "ioredis";

export interface Options {
  readonly maxRetriesPerRequest?: number;
  readonly connectTimeout?: number;
  readonly retryStrategy?: () => null;
  readonly enableReadyCheck?: boolean;
}

/** A connected client of ours; what it can't deliver fails at once rather than waiting for a server that is down. */
export async function connect(url: string, options: Options = {}): Promise<Redis> {
  const { Redis } = await import("ioredis");
  const client = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    disconnectTimeout: 100,
    ...options,
  });
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw error;
  }
  return client;
}
