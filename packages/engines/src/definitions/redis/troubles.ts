import type { Redis } from "ioredis";
import type { Troubles } from "../../definition.ts";
import { connect } from "./client.ts";

/** A port on which no server of ours listens, so that a replica never finds its master. */
const nobody = ["127.0.0.1", "1"] as const;

export const troubles: Troubles = {
  /** As after a failover: this server is a replica now, of a master that can't be reached. */
  async readonly({ adminUrl, control }) {
    await administer(adminUrl(), (admin) => admin.replicaof(...nobody));
    return async () => {
      await control.start();
      await administer(adminUrl(), (admin) => admin.replicaof("NO", "ONE"));
    };
  },

  /** A limit below what any server uses: deleting doesn't help, so that nothing depends on sizes. */
  async outOfMemory({ adminUrl, control }) {
    const before = await administer(adminUrl(), async (admin) => {
      const limits: [string, string][] = [];
      for (const name of ["maxmemory", "maxmemory-policy"])
        limits.push((await admin.config("GET", name)) as [string, string]);
      // The policy first, or what is there would be evicted.
      await admin.config("SET", "maxmemory-policy", "noeviction");
      await admin.config("SET", "maxmemory", "1");
      return limits;
    });
    return async () => {
      await control.start();
      await administer(adminUrl(), async (admin) => {
        for (const [name, value] of before) await admin.config("SET", name, value);
      });
    };
  },
};

async function administer<T>(url: string, work: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = await connect(url);
  try {
    return await work(admin);
  } finally {
    admin.disconnect();
  }
}
