import { randomUUID } from "node:crypto";
import { driverFor } from "./client.ts";

/** @returns the rows of its answer, by column */
export type Ask = <T extends object>(query: string, parameters?: object) => Promise<T[]>;

/**
 * Asks a server, one query after another, on a connection of its own.
 * @param work is told by which name the server knows that connection's client
 */
export async function asked<T>(
  url: string,
  work: (ask: Ask, agent: string) => Promise<T>,
): Promise<T> {
  const agent = `db-katas/${randomUUID()}`;
  // Who fails is not to be asked again and again.
  const driver = driverFor(url, { userAgent: agent, maxTransactionRetryTime: 0 });
  const session = driver.session();
  try {
    return await work(async <Row extends object>(query: string, parameters?: object) => {
      const { records } = await session.run(query, parameters);
      return records.map((record) => record.toObject() as Row);
    }, agent);
  } finally {
    await session.close().catch(() => {});
    await driver.close();
  }
}
