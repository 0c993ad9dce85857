/** Engines, two servers on them, and levers for Redis. */
import { randomBytes } from "node:crypto";
import { type ActiveFault, type Lease, openEngines } from "@db-katas/engines";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { restart } from "@db-katas/engines/faults/restart";
import { restartEmpty } from "@db-katas/engines/faults/restartEmpty";
import { type Server, startServer } from "../src/http/server.ts";
import submission from "../src/index.ts";
import { openNode } from "../src/open.ts";

export const FAULTS = {
  kill: (redis: Lease) => redis.inject(kill),
  pause: (redis: Lease) => redis.inject(pause),
  "cut off a": (redis: Lease) => redis.inject(blackHole, { nodes: ["a"] }),
  restart: (redis: Lease) => redis.inject(restart),
  "restart empty": (redis: Lease) => redis.inject(restartEmpty),
} as const;
export type FaultName = keyof typeof FAULTS;

const HOUR_MS = 60 * 60 * 1_000;
/** What a request under way may take when the demo ends, in milliseconds. */
const END_MS = 2_000;

export class Cluster implements AsyncDisposable {
  readonly servers: ReadonlyMap<string, Server>;
  readonly #redis: Lease;
  readonly #end: () => Promise<void>;
  #fault: { name: FaultName; active: ActiveFault } | undefined;
  #busy: Promise<void> = Promise.resolve();

  private constructor(
    servers: ReadonlyMap<string, Server>,
    redis: Lease,
    end: () => Promise<void>,
  ) {
    this.servers = servers;
    this.#redis = redis;
    this.#end = end;
  }

  /** @throws EngineError when an engine is not to be had here; it says what would help */
  static async open(onProgress: (text: string) => void): Promise<Cluster> {
    await using opening = new AsyncDisposableStack();
    const run = opening.use(await openEngines({ onProgress }));
    const [postgres, redis] = await Promise.all([
      run.lease("postgres"),
      run.lease("redis", { isolation: "instance" }),
    ]);
    await submission.migrate({ kind: "polyglot", postgres: await postgres.urlFor("migrations") });
    // Cookies of one server are good at the other.
    const secret = randomBytes(32).toString("base64url");
    const servers = new Map<string, Server>();
    for (const name of ["a", "b"]) {
      const node = await openNode({
        name,
        stores: {
          kind: "polyglot",
          postgres: await postgres.urlFor(name),
          redis: await redis.urlFor(name),
        },
        requestBudgetMs: 500,
        stalenessBoundMs: 800,
      });
      const server = await startServer({
        node,
        secret,
        ttlMs: HOUR_MS,
        secure: false,
        endMs: END_MS,
        authenticate: async ({ user }) => user,
      });
      opening.defer(async () => void (await server.close()));
      servers.set(name, server);
    }
    const ending = opening.move();
    return new Cluster(servers, redis, () => ending.disposeAsync());
  }

  get fault(): FaultName | undefined {
    return this.#fault?.name;
  }

  /** One fault at a time: a new one heals the one before. `undefined` only heals. */
  async breakRedis(name: FaultName | undefined): Promise<void> {
    const turn = this.#busy.then(async () => {
      await this.#fault?.active.heal();
      this.#fault = undefined;
      if (!name) return;
      const active = await FAULTS[name](this.#redis);
      // A restart is over when it has happened.
      if (!name.startsWith("restart")) this.#fault = { name, active };
    });
    this.#busy = turn.catch(() => {});
    await turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#busy;
    await this.#end();
  }
}
