import type { Redis } from "ioredis";
import type { Troubles } from "../../definition.ts";
import { connect } from "./client.ts";
import { databases } from "./settings.ts";

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

  /**
   * A snapshot that failed for lack of room: Redis then refuses writes (`-MISCONF`) until one succeeds
   * (redis.conf, `stop-writes-on-bgsave-error`). Our own `appendfsync always` would end it instead, at
   * the first key that expires; `no` hands every write to the system before it is acknowledged, too.
   */
  async diskFull({ adminUrl, control }) {
    await administer(adminUrl(), async (admin) => {
      // What was written so far is in the file; what follows waits for its refusal.
      await admin.client("PAUSE", pauseMs, "WRITE");
      try {
        await admin.config("SET", "appendfsync", "no");
        // A time that never comes: else it would try again by itself.
        await admin.config("SET", "save", "1000000000 1");
        await control.disk?.fill();
        await saved(admin, "err");
      } finally {
        await admin.client("UNPAUSE");
      }
    });
    return async () => {
      await control.disk?.free();
      await control.start();
      await administer(adminUrl(), async (admin) => {
        await saved(admin, "ok");
        await says(admin, /^aof_last_write_status:ok/m);
        await admin.config("SET", "save", "");
        await admin.config("SET", "appendfsync", "always");
      });
    };
  },

  /**
   * A restart that takes long over ballast, one key after another, and looks at its clients after
   * each (redis.conf, `key-load-delay` and `loading-process-events-interval-bytes`). It ends by
   * itself after a minute and a half.
   */
  async loading({ adminUrl, control }) {
    const url = () => ofBallast(adminUrl());
    await administer(url(), async (admin) => {
      // Until the restart: what is compressed is too short to be noticed.
      await admin.config("SET", "rdbcompression", "no");
      await admin.eval(makeBallast, 0, ballast.keys, ballast.bytes);
      await rewritten(admin);
    });
    await control.stop();
    await control.start({
      args: [
        "--key-load-delay",
        String(ballast.keyMs * 1_000),
        "--loading-process-events-interval-bytes",
        String(ballast.bytes),
      ],
      until: ({ message }) => message.startsWith("LOADING"),
    });
    return async () => {
      await administer(url(), (admin) => admin.config("SET", "key-load-delay", "0")).catch(() => {
        // It was killed meanwhile: whoever starts it again, starts it plainly.
      });
      await control.start();
      await administer(url(), (admin) => admin.flushdb());
    };
  },
};

/** More than filling a disk takes. */
const pauseMs = 30_000;

/** Enough for a minute and a half, and a client waits no longer than for one key. */
const ballast = { keys: 4_000, bytes: 1_024, keyMs: 25 };
const makeBallast = `
  local value = string.rep('x', ARGV[2])
  for key = 1, ARGV[1] do redis.call('SET', 'ballast:' .. key, value) end`;

/** The last database: no lease gets it. */
function ofBallast(adminUrl: string): string {
  return new URL(`/${databases - 1}`, adminUrl).href;
}

/** Puts all data into one file, the form in which loading takes notice of clients between two keys. */
async function rewritten(admin: Redis): Promise<void> {
  await admin.bgrewriteaof();
  await says(admin, /^aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/m);
}

/** Saves a snapshot, and waits until that has come out as it should. */
async function saved(admin: Redis, outcome: "ok" | "err"): Promise<void> {
  await admin.bgsave("SCHEDULE");
  await says(
    admin,
    new RegExp(`^rdb_bgsave_in_progress:0.*^rdb_last_bgsave_status:${outcome}`, "ms"),
  );
}

/** Waits until Redis says that of how it keeps its data. */
async function says(admin: Redis, what: RegExp): Promise<void> {
  while (!what.test(await admin.info("persistence")))
    await new Promise((resolve) => setTimeout(resolve, 5));
}

async function administer<T>(url: string, work: (admin: Redis) => Promise<T>): Promise<T> {
  // ioredis's own check would wait for a server that loads.
  const admin = await connect(url, { enableReadyCheck: false });
  try {
    return await work(admin);
  } finally {
    admin.disconnect();
  }
}
