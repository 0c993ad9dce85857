import { randomUUID } from "node:crypto";
import { driverFor } from "./client.ts";

/** @returns the rows of its answer, by column */
export type Ask = <T extends object>(query: string, parameters?: object) => Promise<T[]>;

/** Asks one server, one query after another, on a connection of its own. */
export interface Asking extends AsyncDisposable {
  readonly ask: Ask;
  /** By which name the server knows that connection's client. */
  readonly agent: string;
}

/** It connects when it is first used. */
export function asking(url: string): Asking {
  const agent = `db-katas/${randomUUID()}`;
  // Who fails is not to be asked again and again.
  const driver = driverFor(url, { userAgent: agent, maxTransactionRetryTime: 0 });
  const session = driver.session();
  return {
    agent,
    async ask<Row extends object>(query: string, parameters?: object) {
      const { records } = await session.run(query, parameters);
      return records.map((record) => record.toObject() as Row);
    },
    async [Symbol.asyncDispose]() {
      await session.close().catch(() => {});
      await driver.close();
    },
  };
}
