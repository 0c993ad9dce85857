/** One cluster of a submission, set up as the grader does: a process for each node, real engines. */
import type { EngineRun, Lease } from "@db-katas/engines";
import { AppProcess, type Kata, type Submission } from "@db-katas/grading";
import type { NodeConfig, SessionNode } from "../contract.ts";
import { BUDGET_MS, STALENESS_MS } from "./bounds.ts";
import type { Nodes } from "./calls.ts";
import { capabilities } from "./faults.ts";

/** What is tried, and where: the same for all runs. */
export interface Target {
  readonly kata: Kata;
  readonly submission: Submission;
  /** Hash of the submission's files. */
  readonly fingerprint: string;
  readonly engines: EngineRun;
  readonly compileCache?: string | undefined;
}

export interface Cluster extends AsyncDisposable {
  readonly nodes: Nodes;
  readonly redis: Lease;
  readonly postgres: Lease;
}

const METHODS = ["create", "get", "update", "touch", "rotate", "destroy", "destroyAll", "list"];

export async function openCluster(target: Target, names: readonly string[]): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const processes = names.map((name) => [name, stack.use(start(target, name))] as const);
  const [postgres, redis] = await settled([
    target.engines.lease("postgres", { needs: ["delay"], template: template(target) }),
    target.engines.lease("redis", { isolation: "instance", needs: capabilities }),
  ]);
  for (const lease of [postgres, redis]) stack.use(lease);
  const nodes = await Promise.all(
    processes.map(async ([name, process]) => {
      const [postgresUrl, redisUrl] = await Promise.all([
        postgres.urlFor(name),
        redis.urlFor(name),
      ]);
      const config: NodeConfig = {
        name,
        stores: { kind: "polyglot", postgres: postgresUrl, redis: redisUrl },
        requestBudgetMs: BUDGET_MS,
        stalenessBoundMs: STALENESS_MS,
      };
      await process.ready;
      await process.createNode([config]);
      return [name, remote(process)] as const;
    }),
  );
  const owned = stack.move();
  return {
    nodes: new Map(nodes),
    redis,
    postgres,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function start({ kata, submission, engines, compileCache }: Target, name: string): AppProcess {
  const { memoryMb, callMs } = kata.definition.limits;
  return new AppProcess({
    name,
    entry: submission.entry,
    cwd: submission.folder,
    exercise: kata.folder,
    memoryMb,
    callMs,
    engines,
    compileCache,
  });
}

function template(target: Target) {
  return {
    key: target.fingerprint,
    build: async (url: string) => {
      await using migrator = start(target, "migrate");
      await migrator.ready;
      await migrator.migrate([{ kind: "polyglot", postgres: url }]);
    },
  };
}

function remote(process: AppProcess): SessionNode {
  const call = (method: string) => [method, (...args: unknown[]) => process.call(method, args)];
  return Object.fromEntries(METHODS.map(call)) as SessionNode;
}

/** All of them, or none: a lease that arrives after another one failed is given back. */
async function settled(leases: [Promise<Lease>, Promise<Lease>]): Promise<[Lease, Lease]> {
  const [one, other] = await Promise.allSettled(leases);
  if (one.status === "fulfilled" && other.status === "fulfilled") return [one.value, other.value];
  for (const each of [one, other]) {
    if (each.status === "fulfilled") await each.value[Symbol.asyncDispose]();
  }
  throw one.status === "rejected" ? one.reason : (other as PromiseRejectedResult).reason;
}
