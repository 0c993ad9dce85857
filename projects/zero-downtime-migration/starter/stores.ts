import pg from "pg";
import type { NodeConfig } from "../contract.ts";

export interface Stores {
  readonly legacy: pg.Pool;
  readonly modern: pg.Pool;
}

/** Task 4 will want more than this: a pool waits for as long as it takes, unless it is told not to. */
export function openStores(config: NodeConfig): Stores {
  const open = (url: string) => {
    const pool = new pg.Pool({ connectionString: url, max: 8 });
    // A connection that breaks while nobody uses it would end the process.
    pool.on("error", () => {});
    return pool;
  };
  return { legacy: open(config.legacy), modern: open(config.modern) };
}
