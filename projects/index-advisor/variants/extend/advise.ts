/** Tasks 2 to 5, from the statements to the advice. */
import pg from "pg";
import type { Advice, AdviseRequest, Rejected, Skipped } from "../../contract.ts";
import { type Candidate, Candidates, definition, recommended } from "./candidates.ts";
import type { Catalogue, TypeFacts } from "./catalogue.ts";
import {
  type Connection,
  type Connections,
  type Deadline,
  explained,
  unavailable,
} from "./connections.ts";
import { contested } from "./contest.ts";
import { describeExpressions, likeTarget, typeOf, withStatistics } from "./copy.ts";
import { Extend } from "./extend.ts";
import { Lab } from "./lab.ts";
import { type Measured, measured, Proof, type Verdict } from "./proof.ts";
import { type Query, understood } from "./queries.ts";
import type { Key, Use } from "./shape.ts";
import { type IndexFacts, indexesOf, superfluous } from "./superfluous.ts";
import { WhatIf } from "./whatif.ts";
import { WriteCosts } from "./writes.ts";

/** One statement may take this part of a call's time, so that the others have theirs. */
const STATEMENT_SHARE = 0.12;
/** Then no further set is chosen in place of what was refused. */
const LAST_ROUND = 0.5;
/** Advisors of all nodes agree on this number: one of them works on a copy at a time. */
const TURN = 7_302_611_805;

export async function advise(
  request: AdviseRequest,
  connections: Connections,
  deadline: Deadline,
): Promise<Advice> {
  const existing = await onTarget(connections, deadline);
  await using scratch = await connections.open("scratch", deadline, {
    jit: "off",
    max_parallel_workers_per_gather: 0,
    idle_in_transaction_session_timeout: 30_000,
  });
  try {
    await begun(scratch);
    const advised = await onCopy(new Lab(scratch), request, existing, deadline);
    await scratch.run("ROLLBACK");
    return { ...advised, drop: superfluous(existing) };
  } catch (error) {
    throw explained("scratch", error);
  }
}

async function onTarget(connections: Connections, deadline: Deadline): Promise<IndexFacts[]> {
  await using target = await connections.open("target", deadline, {
    default_transaction_read_only: "on",
  });
  try {
    return await indexesOf(target);
  } catch (error) {
    throw explained("target", error);
  }
}

async function begun(scratch: Connection): Promise<void> {
  await scratch.run("BEGIN READ WRITE");
  try {
    await scratch.rows("SELECT pg_advisory_xact_lock($1)", [TURN]);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    throw unavailable("scratch", "another advisor has been working on it all the time", error);
  }
  await scratch.run("SET CONSTRAINTS ALL IMMEDIATE");
}

async function onCopy(
  lab: Lab,
  request: AdviseRequest,
  existing: readonly IndexFacts[],
  deadline: Deadline,
): Promise<Omit<Advice, "drop">> {
  await likeTarget(lab, existing);
  const catalogue = await withStatistics(lab, request);
  const { queries, skipped } = await understood(lab, catalogue, request.statements, deadline);
  const limitMs = deadline.totalMs * STATEMENT_SHARE;
  const before = await measuredBefore(lab, queries, skipped, limitMs, deadline);
  const writes = new WriteCosts(
    await indexesOf(lab.scratch),
    catalogue.foreignKeys,
    catalogue.byOid,
  );
  const candidates = await candidatesFor(lab, [...before.keys()], catalogue, writes);
  const { verdict, rejected } = await chosen(
    lab,
    before,
    candidates,
    writes,
    limitMs,
    request,
    deadline,
  );
  const sum = (of: ReadonlyMap<Query, Measured>): number =>
    [...of].reduce((total, [{ calls }, { ms }]) => total + calls * ms, 0);
  return {
    create: verdict.kept.map(({ index, bytes, evidence }) => ({
      name: index.name,
      sql: recommended(index),
      sizeBytes: bytes,
      evidence,
    })),
    rejected,
    skipped: skipped.toSorted((a, b) => a.statement - b.statement),
    beforeMs: sum(before),
    afterMs: sum(verdict.after),
  };
}

async function measuredBefore(
  lab: Lab,
  queries: readonly Query[],
  skipped: Skipped[],
  limitMs: number,
  deadline: Deadline,
): Promise<Map<Query, Measured>> {
  const before = new Map<Query, Measured>();
  for (const query of queries) {
    try {
      if (deadline.past(0.4)) throw new Error("There was no time left to measure it.");
      const found = await measured(lab, query, limitMs);
      before.set({ ...query, rows: found.rows }, found);
    } catch (error) {
      if (error instanceof Error && error.name === "AdvisorError") throw error;
      const why = error instanceof Error ? error.message : String(error);
      skipped.push({ statement: query.statement, why: `It could not be measured: ${why}` });
    }
  }
  return before;
}

async function candidatesFor(
  lab: Lab,
  queries: readonly Query[],
  catalogue: Catalogue,
  writes: WriteCosts,
): Promise<Candidates> {
  const types = new Map<string, TypeFacts | undefined>();
  const keyOf = (use: Use, key: Key): string => `${use.table.oid} ${key.sql}`;
  for (const { use, key } of queries.flatMap(({ shape }) =>
    shape.uses.flatMap(({ conditions, alternatives }) => [...conditions, ...alternatives.flat()]),
  )) {
    if (!types.has(keyOf(use, key)))
      types.set(keyOf(use, key), await typeOf(lab, use, key, catalogue));
  }
  const candidates = new Candidates(catalogue, (use, key) => types.get(keyOf(use, key)));
  for (const query of queries) {
    for (const use of query.shape.uses) candidates.addUse(use);
    for (const { table, columns } of writes.searchedBy(query)) {
      candidates.addForeignKey(table, columns);
    }
  }
  await describeExpressions(lab, candidates);
  return candidates;
}

async function chosen(
  lab: Lab,
  before: ReadonlyMap<Query, Measured>,
  candidates: Candidates,
  writes: WriteCosts,
  limitMs: number,
  { budgetBytes = Number.POSITIVE_INFINITY }: AdviseRequest,
  deadline: Deadline,
): Promise<{ verdict: Verdict; rejected: readonly Rejected[] }> {
  const whatIf = await WhatIf.in(lab);
  const queries = [...before.keys()];
  const banned = await contested(lab, queries, candidates.rivals, budgetBytes, limitMs);
  const sizes = new Map<string, number | undefined>();
  const bytes = async (index: Candidate): Promise<number | undefined> => {
    if (!sizes.has(index.id)) {
      // An estimate may be off by a factor of ten. What isn't a btree was built for the question anyway.
      const real = Number.isFinite(budgetBytes) && index.method === "btree";
      const size = real ? await lab.tried(() => lab.build(index)) : await whatIf.bytes(index);
      sizes.set(index.id, typeof size === "number" ? size : undefined);
      if (typeof size === "string") banned.set(index.id, `It can't be built: ${size}`);
    }
    return sizes.get(index.id);
  };
  const limits = { budgetBytes, bytes, banned, deadline };
  const extend = new Extend(queries, candidates, whatIf, writes, limits);
  const proof = new Proof(lab, before, writes, limitMs, deadline);
  // What nobody has proven is not recommended: when time is up, the last set that was counts.
  let verdict: Verdict = { kept: [], refused: new Map(), after: before };
  for (;;) {
    const set = await extend.chosen();
    const latest = await lab.tried(async () => {
      await whatIf.hidden();
      return await proof.of(set);
    });
    verdict = latest ?? verdict;
    for (const [{ id }, why] of verdict.refused) banned.set(id, why);
    const settled = !latest || latest.refused.size === 0;
    if (settled || deadline.past(LAST_ROUND)) break;
  }
  return { verdict, rejected: rejected(candidates, verdict, banned) };
}

function rejected(
  candidates: Candidates,
  { kept }: Verdict,
  banned: ReadonlyMap<string, string>,
): Rejected[] {
  const all = new Map(candidates.steps.flat().map((index) => [index.id, index]));
  for (const { index } of kept) all.delete(index.id);
  return [...all.values()].map((index) => ({
    sql: definition(index),
    why: banned.get(index.id) ?? "Others save more for each byte, or it saves nothing.",
  }));
}
