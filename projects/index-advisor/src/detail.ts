/** Findings in the words of the contract, and of reports. */
import type { AdviseRequest, CreateIndex, Rejected } from "../contract.ts";
import type { AdviceInDetail, IndexDetail, StatementDetail } from "./advise.ts";
import { createIndexSql, indexName } from "./ddl.ts";
import type { Findings } from "./investigation.ts";
import type { Candidate } from "./model.ts";
import { differenceMs, totalMs } from "./validate/difference.ts";

export function detailOf(
  { statements }: AdviseRequest,
  findings: Findings,
  tookMs: number,
): AdviceInDetail {
  const { queries, verdict, upkeep, taken } = findings;
  const { set, before, after } = verdict;
  const details = queries.flatMap((query, q): StatementDetail[] => {
    const [was, is] = [before[q], after[q]];
    if (was === undefined || is === undefined || was.failure?.stopped === false) return [];
    const upkeepMs = upkeep.ms(query, set, was.writes);
    return [
      {
        statement: query.statement,
        sql: statements[query.statement]?.sql ?? "",
        calls: query.calls,
        beforeMs: was.medianMs,
        afterMs: was.medianMs - differenceMs(was, is) + upkeepMs,
        isStoppedBefore: was.failure?.stopped ?? false,
        isStoppedAfter: is.failure?.stopped ?? false,
        runsBeforeMs: was.runsMs,
        runsAfterMs: was.signature === is.signature ? was.runsMs : is.runsMs,
        planBefore: was.plan,
        planAfter: is.plan,
        costBefore: was.cost,
        costAfter: is.cost,
        blocksBefore: was.blocks,
        blocksAfter: is.blocks,
        upkeepMs,
      },
    ];
  });
  const names = namesOf(set, taken);
  const create = set.map((candidate) => createOf(findings, candidate, names, details));
  return {
    create,
    drop: findings.drop,
    rejected: rejectedOf(findings),
    skipped: findings.skipped,
    beforeMs: totalMs(findings, before, before, []),
    afterMs: totalMs(findings, before, after, set),
    statements: details,
    indexes: set.map((candidate) => indexDetailOf(findings, candidate, names)),
    queries,
    candidates: findings.candidates,
    catalog: findings.catalog,
    whatIf: findings.whatIf,
    ranOut: findings.ranOut,
    tookMs,
  };
}

function createOf(
  { verdict, builds, queries }: Findings,
  candidate: Candidate,
  names: ReadonlyMap<Candidate, string>,
  details: readonly StatementDetail[],
): CreateIndex {
  const name = names.get(candidate) ?? indexName(candidate.index);
  const helped = (verdict.gains.get(candidate)?.helps ?? []).map((q) => queries[q]?.statement);
  return {
    name,
    sql: createIndexSql(candidate.index, name, { concurrently: true }),
    sizeBytes: builds.find(candidate)?.sizeBytes ?? 0,
    evidence: details
      .filter((detail) => helped.includes(detail.statement) && detail.afterMs < detail.beforeMs)
      .map(({ statement, beforeMs, afterMs }) => ({ statement, beforeMs, afterMs })),
  };
}

function indexDetailOf(
  { verdict, builds, estimates }: Findings,
  candidate: Candidate,
  names: ReadonlyMap<Candidate, string>,
): IndexDetail {
  const gain = verdict.gains.get(candidate);
  const sizeBytes = builds.find(candidate)?.sizeBytes ?? 0;
  const gainMs = gain?.ms ?? 0;
  return {
    name: names.get(candidate) ?? indexName(candidate.index),
    candidate,
    estimatedBytes: estimates.get(candidate) ?? sizeBytes,
    sizeBytes,
    gainMs,
    confidence: gainMs / Math.max(gainMs + (gain?.noiseMs ?? 0), Number.MIN_VALUE),
  };
}

/** The same index has the same name each time, unless the target has something else of that name. */
function namesOf(
  set: readonly Candidate[],
  taken: ReadonlySet<string>,
): ReadonlyMap<Candidate, string> {
  return new Map(
    set.map((candidate) => {
      const name = indexName(candidate.index);
      let free = name;
      for (let n = 2; taken.has(`${candidate.index.schema}.${free}`); n++) {
        free = `${name.slice(0, -1 - `${n}`.length)}_${n}`;
      }
      return [candidate, free];
    }),
  );
}

/** What was measured first; then what the planner had no use for, with the others in place. */
function rejectedOf({ refused, candidates, verdict }: Findings): readonly Rejected[] {
  const known = new Set([...verdict.set, ...refused.map(({ candidate }) => candidate)]);
  const others = candidates
    .filter((candidate) => !known.has(candidate))
    .map((candidate) => ({
      candidate,
      why: "Not chosen: beside the others it saves nothing by the planner's costs, or others save more within the budget.",
    }));
  return [...refused, ...others]
    .filter(({ candidate }) => !verdict.set.includes(candidate))
    .map(({ candidate, why }) => ({
      sql: createIndexSql(candidate.index, indexName(candidate.index)),
      why,
    }));
}
