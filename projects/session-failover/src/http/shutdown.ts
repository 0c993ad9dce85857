/** An orderly end: finish what is under way, then let go of the stores, and no later than a deadline. */
import type { FastifyInstance } from "fastify";

export interface Ending {
  readonly app: FastifyInstance;
  /** What the requests under way still need: closed when they are done. */
  readonly closeStores: () => Promise<void>;
  /** When connections that are still busy are cut, in milliseconds. */
  readonly deadlineMs: number;
}

/** @returns whether everything under way was finished in time */
export async function endGracefully({ app, closeStores, deadlineMs }: Ending): Promise<boolean> {
  let inTime = true;
  const cut = setTimeout(() => {
    inTime = false;
    app.server.closeAllConnections();
  }, deadlineMs);
  // Refuses new connections, drops idle ones, and waits for requests under way.
  await app.close();
  clearTimeout(cut);
  await closeStores();
  return inTime;
}
