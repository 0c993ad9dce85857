/** A cluster to break: real engines, and nodes `a` and `b` of a submission with addresses of their own. */
import { createHash } from "node:crypto";
import { type EngineRun, type Lease, openEngines } from "@db-katas/engines";
import type { SessionNode, Submission } from "../contract.ts";
import reference from "../src/index.ts";
import postgresOnly from "../variants/postgres-only/index.ts";
import versionCheck from "../variants/version-check/index.ts";

export const BUDGET_MS = 400;
export const STALENESS_MS = 600;
/** What a busy machine may add to any time, in milliseconds. */
export const SLACK_MS = 300;

export const submissions: Readonly<Record<string, Submission>> = {
  reference,
  "postgres-only": postgresOnly,
  "version-check": versionCheck,
};

export interface Cluster extends AsyncDisposable {
  readonly a: SessionNode;
  readonly b: SessionNode;
  readonly redis: Lease;
  readonly postgres: Lease;
}

let run: Promise<EngineRun> | undefined;

/** One run of engines for each test file; it ends with the process. */
export function engines(): Promise<EngineRun> {
  run ??= openEngines();
  return run;
}

export async function closeEngines(): Promise<void> {
  const open = await run;
  run = undefined;
  await open?.[Symbol.asyncDispose]();
}

export async function openCluster(
  name: string,
  isolation: { postgres?: "instance" | "namespace" } = {},
): Promise<Cluster> {
  const submission = submissions[name];
  if (!submission) throw new RangeError(`There is no submission ${name}.`);
  const template = {
    key: createHash("sha256").update(name).digest("hex"),
    build: (url: string) => submission.migrate({ kind: "polyglot", postgres: url }),
  };
  const run = await engines();
  const [postgres, redis] = await Promise.all([
    run.lease("postgres", { template, isolation: isolation.postgres ?? "namespace" }),
    run.lease("redis", { isolation: "instance" }),
  ]);
  const start = async (node: string): Promise<SessionNode> =>
    submission.createNode({
      name: node,
      stores: {
        kind: "polyglot",
        postgres: await postgres.urlFor(node),
        redis: await redis.urlFor(node),
      },
      requestBudgetMs: BUDGET_MS,
      stalenessBoundMs: STALENESS_MS,
    });
  const [a, b] = await Promise.all([start("a"), start("b")]);
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

/** Asks again until `accept` is content; the last answer is returned even if it never was. */
export async function eventually<T>(
  limitMs: number,
  ask: () => Promise<T>,
  accept: (answer: T) => boolean,
): Promise<T> {
  const until = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (accept(answer) || performance.now() > until) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function timed<T>(call: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const from = performance.now();
  const answer = await call();
  return { answer, ms: performance.now() - from };
}

/** The code of the error that a call ends with, or undefined when it succeeds. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}
