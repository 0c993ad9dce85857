/** PostgreSQL, two servers on it, and the page. */
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { openEngines } from "@db-katas/engines";
import { createServer, type ViteDevServer } from "vite";
import type { Server } from "../../contract.ts";
import { migrate } from "../../src/migrate.ts";
import { startServer } from "../../src/server/server.ts";
import { doormanPlugin } from "./doorman.ts";
import { LIMITS } from "./limits.ts";

const TREASURER = "treasurer";
const SERVERS = ["a", "b"];
const REQUEST_BUDGET_MS = 3_000;
/** What pg_cron would do in earnest. */
const COMPACT_MS = 60_000;

export interface StageOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Whether the page follows changes of its source. */
  readonly watch: boolean;
  readonly onProgress?: (text: string) => void;
}

export class Stage implements AsyncDisposable {
  /** Of the page. */
  readonly url: string;
  /** Where each server is; others may be added, for instance a way to one of them that can be cut. */
  readonly servers: Map<string, string>;
  /** The first of the servers, for what isn't done by clients. */
  readonly server: Server;
  readonly #end: () => Promise<void>;

  private constructor(
    url: string,
    servers: Map<string, string>,
    server: Server,
    end: () => Promise<void>,
  ) {
    this.url = url;
    this.servers = servers;
    this.server = server;
    this.#end = end;
  }

  /** @throws EngineError when PostgreSQL is not to be had here; it says what would help */
  static async open({ port, watch, onProgress }: StageOptions): Promise<Stage> {
    await using opening = new AsyncDisposableStack();
    const run = opening.use(await openEngines(onProgress ? { onProgress } : {}));
    const postgres = opening.use(await run.lease("postgres"));
    await migrate(await postgres.urlFor("migrations"));
    const secret = randomBytes(32).toString("base64url");
    const running: Server[] = [];
    const servers = new Map<string, string>();
    for (const name of SERVERS) {
      const server = await startServer({
        role: "server",
        name,
        treasurer: TREASURER,
        postgres: await postgres.urlFor(name),
        secret,
        requestBudgetMs: REQUEST_BUDGET_MS,
        limits: LIMITS,
      });
      opening.defer(() => server.close());
      running.push(server);
      servers.set(name, await server.address());
    }
    const [first] = running as [Server, ...Server[]];
    const opened = new Set<string>();
    const compaction = setInterval(() => void compact(first, opened), COMPACT_MS);
    opening.defer(() => clearInterval(compaction));
    const vite = await createServer({
      configFile: false,
      root: join(import.meta.dirname, ".."),
      logLevel: "warn",
      clearScreen: false,
      plugins: [
        doormanPlugin({
          secret,
          doors: { store: randomUUID(), treasurer: TREASURER, servers: SERVERS },
          servers,
          opened: (document) => opened.add(document),
        }),
      ],
      // Of Loro's builds, the one that is told when to fetch its WebAssembly.
      resolve: { alias: [{ find: /^loro-crdt$/, replacement: "loro-crdt/web" }] },
      // All of them are modules already; so nothing is written, and several pages can start at once.
      optimizeDeps: { noDiscovery: true, include: [] },
      server: {
        host: "127.0.0.1",
        port,
        strictPort: true,
        ...(watch ? {} : { hmr: false, watch: null }),
      },
    });
    opening.defer(() => vite.close());
    await vite.listen();
    const ending = opening.move();
    return new Stage(urlOf(vite), servers, first, () => ending.disposeAsync());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}

function urlOf({ httpServer }: ViteDevServer): string {
  const address = httpServer?.address();
  // It was told to listen to a port.
  if (!address || typeof address === "string") throw new Error("Vite listens nowhere.");
  return `http://127.0.0.1:${address.port}/`;
}

async function compact(server: Server, documents: Iterable<string>): Promise<void> {
  for (const document of documents) {
    // What can't be compacted now can be a minute later.
    await server.compact(document).catch((error) => console.error(String(error)));
  }
}
