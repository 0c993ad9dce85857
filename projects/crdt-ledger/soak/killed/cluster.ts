/** One PostgreSQL and two servers, which are used by one run after the other, whatever dies in them. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { EngineRun, Lease } from "@db-katas/engines";
import { kill } from "@db-katas/engines/faults/kill";
import pg from "pg";
import type { Actor, DocumentId, Submission } from "../../contract.ts";
import { loadSubmission } from "../schedules.ts";
import { TREASURER } from "./doings.ts";
import { type Death, SERVERS } from "./plan.ts";
import { ServerProcess } from "./server-process.ts";

/** What a push may wait for PostgreSQL, in milliseconds: a busy machine shall make it slow, not fail. */
const BUDGET_MS = 4_000;
const LIMITS = { changeBytes: 65_536, frameBytes: 524_288, backlogBytes: 1_048_576 };

export interface Row {
  readonly position: number;
  readonly actor: Actor;
  readonly seq: number;
  readonly bytes: Buffer;
}

export class Cluster implements AsyncDisposable {
  readonly submission: Submission;
  /** Of the tokens that let people in. */
  readonly secret: string;
  readonly servers: readonly ServerProcess[];
  readonly #postgres: Lease;
  readonly #owned: AsyncDisposableStack;
  /** One death of PostgreSQL after the other. */
  #outages: Promise<unknown> = Promise.resolve();

  private constructor(
    submission: Submission,
    secret: string,
    servers: readonly ServerProcess[],
    { postgres, owned }: { readonly postgres: Lease; readonly owned: AsyncDisposableStack },
  ) {
    this.submission = submission;
    this.secret = secret;
    this.servers = servers;
    this.#postgres = postgres;
    this.#owned = owned;
  }

  /** @param index the `index.ts` of a submission @throws EngineError where no PostgreSQL of one's own is to be had */
  static async open(engines: EngineRun, index: string): Promise<Cluster> {
    await using opening = new AsyncDisposableStack();
    const submission = await loadSubmission(index);
    const postgres = await engines.lease("postgres", { isolation: "instance", needs: ["kill"] });
    opening.use(postgres);
    await submission.migrate(await postgres.urlFor("migrations"));
    const secret = randomUUID();
    const compileCache = join(engines.folder, "compile-cache");
    const servers: ServerProcess[] = [];
    for (const name of SERVERS) {
      const config = {
        role: "server",
        name,
        treasurer: TREASURER,
        postgres: await postgres.urlFor(name),
        secret,
        requestBudgetMs: BUDGET_MS,
        limits: LIMITS,
      } as const;
      servers.push(opening.use(new ServerProcess(index, config, compileCache)));
    }
    return new Cluster(submission, secret, servers, { postgres, owned: opening.move() });
  }

  /** SIGKILL to all of them at once. Resolves when PostgreSQL is there again, if it was one of them. */
  async kill({ postgres, servers }: Death): Promise<void> {
    const outage = postgres ? this.#outage() : undefined;
    for (const place of servers) this.servers[place]?.kill();
    await outage;
  }

  /** The document's rows, in their order. */
  async rowsOf(document: DocumentId): Promise<readonly Row[]> {
    const client = new pg.Client({ connectionString: this.#postgres.adminUrl });
    await client.connect();
    try {
      const { rows } = await client.query<Row>(
        `SELECT position::float8 AS position, actor, seq, bytes FROM operations
         WHERE document = $1 ORDER BY operations.position`,
        [document],
      );
      return rows;
    } finally {
      await client.end();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }

  #outage(): Promise<void> {
    const outage = this.#outages.then(async () => {
      const fault = await this.#postgres.inject(kill);
      await fault.heal();
    });
    this.#outages = outage.catch(() => {});
    return outage;
  }
}
