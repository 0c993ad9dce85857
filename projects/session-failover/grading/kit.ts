import { setTimeout as wait } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type CheckContext, checksFor, SubmissionError } from "@db-katas/grading";
import type { NodeConfig, Session, SessionData, SessionNode, Submission } from "../contract.ts";

/** What nodes are told they may take for one call, in checks that measure it, in milliseconds. */
export const BUDGET_MS = 400;
/** What nodes are told elsewhere, in milliseconds: a busy machine must cost nobody a point. */
export const EASY_BUDGET_MS = 2_000;
/**
 * S, where a check doesn't choose another: how long a write that Redis did not confirm may stay unseen
 * on other nodes, in milliseconds.
 */
export const STALENESS_MS = 800;
/**
 * Room for the grader itself and for a machine under load, in milliseconds. What hangs, hangs for
 * seconds: this makes no wrong answer right.
 */
export const SLACK_MS = 600;

/**
 * What a change takes at most on a machine that is not too busy, in milliseconds. A node whose change
 * took longer may have given up on Redis, as it would on one that hangs.
 */
const CALM_MS = 40;
const CHANGES = new Set<PropertyKey>(["update", "touch", "rotate", "destroy", "destroyAll"]);

export type SessionContext = CheckContext<Submission>;

/** Checks of this exercise start from a database that the submission's `migrate` has prepared. */
export const check = checksFor<Submission>({
  postgres: { build: (submission, url) => submission.migrate({ kind: "polyglot", postgres: url }) },
});

/**
 * App nodes of one cluster: the same PostgreSQL and Redis, each by addresses of its own.
 * @param budgetMs what the nodes may take for one call
 * @param stalenessMs their S
 */
export async function startNodes(
  t: SessionContext,
  names: readonly string[],
  budgetMs = EASY_BUDGET_MS,
  stalenessMs = STALENESS_MS,
): Promise<SessionNode[]> {
  return Promise.all(
    names.map(async (name) => {
      const [postgres, redis] = await Promise.all([
        t.lease("postgres").urlFor(name),
        t.lease("redis").urlFor(name),
      ]);
      const config = nodeConfig(name, { kind: "polyglot", postgres, redis }, budgetMs);
      return timed(t, await t.start(name, { ...config, stalenessBoundMs: stalenessMs }));
    }),
  );
}

/** When a change was last so slow, by `performance.now()`. */
const slowChanges = new WeakMap<SessionContext, number>();

/** The same node, whose slow changes are remembered. */
function timed(t: SessionContext, node: SessionNode): SessionNode {
  return new Proxy(node, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function" || !CHANGES.has(name)) return method;
      return async (...args: unknown[]) => {
        const begin = performance.now();
        try {
          return await method(...args);
        } finally {
          const end = performance.now();
          if (end - begin > CALM_MS) slowChanges.set(t, end);
        }
      };
    },
  });
}

/**
 * What a node reads after a change on any node, at once. Only where no fault or gate is to blame and
 * the machine was so busy that the change may have been kept from Redis, S is granted, as by contract.
 */
export async function expectRead(
  t: SessionContext,
  node: SessionNode,
  id: string,
  wanted: Partial<Session> | null,
  what: string,
): Promise<void> {
  const read = async () => {
    const session = await node.get(id);
    if (!session || !wanted) return session;
    return Object.fromEntries(
      Object.keys(wanted).map((key) => [key, session[key as keyof Session]]),
    );
  };
  await expectAtOnce(t, read, wanted, what);
}

/** Which devices a node lists after a change on any node, at once, and with the same exception. */
export async function expectDevices(
  t: SessionContext,
  node: SessionNode,
  userId: string,
  wanted: readonly string[],
  what: string,
): Promise<void> {
  const read = async () => (await node.list(userId)).map(({ device }) => device);
  await expectAtOnce(t, read, wanted, what);
}

async function expectAtOnce(
  t: SessionContext,
  read: () => Promise<unknown>,
  wanted: unknown,
  what: string,
): Promise<void> {
  let seen = await read();
  const grantedUntil = (slowChanges.get(t) ?? Number.NEGATIVE_INFINITY) + STALENESS_MS;
  if (!t.disturbed && performance.now() < grantedUntil && !isDeepStrictEqual(seen, wanted)) {
    await wait(STALENESS_MS);
    seen = await read();
  }
  t.equal<unknown>(seen, wanted, what);
}

/** Nodes `a` and `b` of one cluster. */
export async function startTwoNodes(
  t: SessionContext,
  budgetMs?: number,
  stalenessMs?: number,
): Promise<[a: SessionNode, b: SessionNode]> {
  return (await startNodes(t, ["a", "b"], budgetMs, stalenessMs)) as [SessionNode, SessionNode];
}

export function nodeConfig(
  name: string,
  stores: NodeConfig["stores"],
  requestBudgetMs = EASY_BUDGET_MS,
): NodeConfig {
  return { name, stores, requestBudgetMs, stalenessBoundMs: STALENESS_MS };
}

/** Something for `create`, different in every run. */
export function sessionInput(t: SessionContext, ttlMs = 60_000) {
  return {
    userId: `user-${t.random.word()}`,
    device: t.random.pick(["phone", "laptop", "tablet"]),
    data: someData(t),
    ttlMs,
  };
}

export function someData(t: SessionContext): SessionData {
  return { cart: [t.random.word(), t.random.word()], visits: t.random.int(1, 1_000) };
}

/** Everything that JSON can hold, and more than a short column does. */
export function oddData(t: SessionContext): SessionData {
  const inner = [1.5, -0.25, true, null, { z: 'ü€😀 "\\\n' }];
  return { ...someData(t), "": [], "b a": {}, inner, long: t.random.word(3_000) };
}

/** Asks so often that a node which caches has every reason to. */
export async function readThrough(id: string, ...nodes: SessionNode[]): Promise<void> {
  for (const node of nodes) for (let i = 0; i < 3; i++) await node.get(id);
}

/** What a client that logged out, or was logged out, must see. */
export async function expectDead(
  t: SessionContext,
  nodes: readonly SessionNode[],
  id: string,
  what: string,
): Promise<void> {
  for (const node of nodes) await expectRead(t, node, id, null, what);
}

/**
 * The session, on every node, at once or within S, and never anything older again: it is read
 * several times more once it was seen.
 * @param again how often
 * @param stalenessMs S of these nodes
 */
export async function expectWithinBound(
  t: SessionContext,
  nodes: readonly SessionNode[],
  id: string,
  wanted: Pick<Session, "version" | "data"> | null,
  what: string,
  { again = 5, stalenessMs = STALENESS_MS } = {},
): Promise<void> {
  const expected = wanted ? `version ${wanted.version}` : "null";
  for (const node of nodes) {
    await t.eventually(
      stalenessMs + SLACK_MS,
      () => node.get(id),
      (session) => (session?.version ?? null) === (wanted?.version ?? null),
      what,
      expected,
    );
  }
  for (let i = 0; i < again; i++) {
    for (const node of nodes) {
      const session = await node.get(id);
      t.equal(
        session && { version: session.version, data: session.data },
        wanted && { version: wanted.version, data: wanted.data },
        `${what}, and then again`,
      );
    }
  }
}

/** Errors that say for certain that a write did not happen. */
export function isDefinite(error: unknown): boolean {
  return (
    error instanceof SubmissionError &&
    (error.code === "NOT_FOUND" || error.code === "VERSION_CONFLICT")
  );
}
