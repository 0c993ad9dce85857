import type { Operation } from "./history.ts";
import { Findings, type HistoryVerdict } from "./verdict.ts";

/**
 * `value` is the lock. `acquire` results in the fencing token, a number; `release` and `write` have
 * it as `input`. A write that the store refused is a `fail`.
 */
export type MutexOp = "acquire" | "release" | "write";

/**
 * `held-twice`: two certainly held it at once. `token-order`: a later grant has no larger token.
 * `stale-write`: accepted with an older token after one with a newer token was.
 */
export type MutexAnomaly = "held-twice" | "token-order" | "stale-write";

export interface MutexOptions {
  /** After this many milliseconds a lock that was granted may be anybody's. Default: never. */
  readonly leaseMs?: number;
}

/**
 * Judges a lock that hands out fencing tokens, and the store that they protect.
 *
 * A client certainly holds the lock from when it was told so until it begins to release it, or, with
 * a lease, until `leaseMs` after it began to ask: the lease can't have begun earlier. Two such
 * spans must not overlap. Tokens must grow from each grant to all that began to be asked for after
 * its answer. See Kleppmann, "How to do distributed locking" (2016), on why only the store's own
 * comparison protects it. What was neither told nor accepted for certain proves nothing.
 *
 * @throws RangeError for tokens that are no numbers
 */
export function checkMutex(
  operations: readonly Operation<MutexOp>[],
  { leaseMs = Number.POSITIVE_INFINITY }: MutexOptions = {},
): HistoryVerdict<MutexAnomaly> {
  const findings = new Findings<MutexAnomaly>(["held-twice", "token-order", "stale-write"]);
  for (const [lock, group] of Map.groupBy(operations, ({ value }) => value)) {
    const certain = (op: MutexOp) =>
      group
        .filter((operation) => operation.op === op && operation.outcome === "ok")
        .sort((one, other) => one.invokedAt - other.invokedAt);
    const grants = certain("acquire").map((operation) => tokened(operation, operation.result));
    const writes = certain("write").map((operation) => tokened(operation, operation.input));
    // Its outcome doesn't matter: from its beginning on the lock may be free.
    const releases = group
      .filter(({ op }) => op === "release")
      .map((operation) => tokened(operation, operation.input));
    judgeHolders(findings, lock, grants, releases, leaseMs);

    const again = newestBefore(grants, (newest, token) => newest >= token) ?? twins(grants);
    if (again) {
      findings.add("token-order", lock, () => ({
        sentence: `${lock} was granted with token ${again[1].token} though ${again[0].token} had been given out.`,
        proof: again.map(({ operation }) => operation),
      }));
    }
    const stale = newestBefore(writes, (newest, token) => newest > token);
    if (stale) {
      findings.add("stale-write", lock, () => ({
        sentence: `A write with token ${stale[1].token} was accepted after one with token ${stale[0].token} was.`,
        proof: stale.map(({ operation }) => operation),
      }));
    }
  }
  return findings.verdict(
    "one holder at a time, growing tokens, no write with an older token after a newer one",
    operations.length,
  );
}

interface Tokened {
  readonly operation: Operation<MutexOp>;
  readonly token: number;
}

function tokened(operation: Operation<MutexOp>, token: unknown): Tokened {
  if (typeof token === "number" && Number.isFinite(token)) return { operation, token };
  const { index, op } = operation;
  throw new RangeError(`Operation ${index}: ${op} with token ${JSON.stringify(token)}.`);
}

function judgeHolders(
  findings: Findings<MutexAnomaly>,
  lock: string,
  grants: readonly Tokened[],
  releases: readonly Tokened[],
  leaseMs: number,
): void {
  const releasesOf = Map.groupBy(releases, ({ token }) => token);
  const spans = grants
    .map(({ operation, token }) => {
      const released = releasesOf
        .get(token)
        ?.map((release) => release.operation)
        .filter(
          ({ process, invokedAt }) =>
            process === operation.process && invokedAt >= operation.completedAt,
        )
        .sort((one, other) => one.invokedAt - other.invokedAt)[0];
      const end = Math.min(
        released?.invokedAt ?? Number.POSITIVE_INFINITY,
        operation.invokedAt + leaseMs,
      );
      return { operation, released, start: operation.completedAt, end };
    })
    .filter(({ start, end }) => start < end)
    .sort((one, other) => one.start - other.start);
  let holder = spans[0];
  for (const next of spans.slice(1)) {
    const current = holder;
    if (current && next.start < current.end) {
      findings.add("held-twice", lock, () => ({
        sentence: `${current.operation.process} certainly held ${lock} when it was granted to ${next.operation.process}.`,
        proof: [current.operation, current.released, next.operation],
      }));
      return;
    }
    if (!current || next.end > current.end) holder = next;
  }
}

/**
 * The first operation that began after the end of another one whose token is wrong for that, with
 * that other one.
 * @param inOrder by their beginnings
 */
function newestBefore(
  inOrder: readonly Tokened[],
  isWrong: (newest: number, token: number) => boolean,
): [Tokened, Tokened] | undefined {
  const byEnd = inOrder.toSorted(
    (one, other) => one.operation.completedAt - other.operation.completedAt,
  );
  let newest: Tokened | undefined;
  let ended = 0;
  for (const one of inOrder) {
    for (; ; ended++) {
      const next = byEnd[ended];
      if (!next || next.operation.completedAt >= one.operation.invokedAt) break;
      if (!newest || next.token > newest.token) newest = next;
    }
    if (newest && isWrong(newest.token, one.token)) return [newest, one];
  }
  return undefined;
}

/** Two grants with the same token, overlapping or not: no order makes the tokens grow. */
function twins(grants: readonly Tokened[]): [Tokened, Tokened] | undefined {
  const seen = new Map<number, Tokened>();
  for (const grant of grants) {
    const twin = seen.get(grant.token);
    if (twin) return [twin, grant];
    seen.set(grant.token, grant);
  }
  return undefined;
}
