/** Nodes of the reference solution as applications open them, on real engines or on a file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lease } from "@db-katas/engines";
import reference from "../src/index.ts";
import { type Node, openNode } from "../src/open.ts";
import { engines, STALENESS_MS } from "./cluster.ts";

export interface Nodes extends AsyncDisposable {
  readonly a: Node;
  readonly b: Node;
  /** Where the stores are a single file, there are none of these. */
  readonly redis?: Lease;
  readonly postgres?: Lease;
}

/** Where a test doesn't measure time, a busy machine shall not decide it. */
const PATIENT_MS = 2_000;
const template = {
  key: "reference as deployed",
  build: (url: string) => reference.migrate({ kind: "polyglot", postgres: url }),
};

/** `instance` for servers that the test will break; `budgetMs` where it measures time */
export async function openNodes(
  options: { redis?: "instance"; postgres?: "instance"; budgetMs?: number } = {},
): Promise<Nodes & { redis: Lease; postgres: Lease }> {
  const run = await engines();
  const [postgres, redis] = await Promise.all([
    run.lease("postgres", { template, isolation: options.postgres ?? "namespace" }),
    run.lease("redis", { isolation: options.redis ?? "namespace" }),
  ]);
  const open = async (name: string): Promise<Node> =>
    openNode({
      name,
      stores: {
        kind: "polyglot",
        postgres: await postgres.urlFor(name),
        redis: await redis.urlFor(name),
      },
      requestBudgetMs: options.budgetMs ?? PATIENT_MS,
      stalenessBoundMs: STALENESS_MS,
    });
  const [a, b] = await Promise.all([open("a"), open("b")]);
  return {
    a,
    b,
    redis,
    postgres,
    async [Symbol.asyncDispose]() {
      await Promise.all([a.close(), b.close()]);
      await Promise.all([redis, postgres].map((lease) => lease[Symbol.asyncDispose]()));
    },
  };
}

/** Two nodes on one SQLite file. */
export async function openLocalNodes(): Promise<Nodes> {
  const folder = await mkdtemp(join(tmpdir(), "sessions-"));
  const sqlite = join(folder, "sessions.db");
  await reference.migrate({ kind: "local", sqlite });
  const open = (name: string): Promise<Node> =>
    openNode({
      name,
      stores: { kind: "local", sqlite },
      requestBudgetMs: PATIENT_MS,
      stalenessBoundMs: STALENESS_MS,
    });
  const [a, b] = await Promise.all([open("a"), open("b")]);
  return {
    a,
    b,
    async [Symbol.asyncDispose]() {
      await Promise.all([a.close(), b.close()]);
      await rm(folder, { recursive: true });
    },
  };
}

/** Something that one part of a test waits for and another one opens. */
export class Gate {
  readonly #door = Promise.withResolvers<void>();
  readonly passed: Promise<void> = this.#door.promise;
  open(): void {
    this.#door.resolve();
  }
}
