import type pg from "pg";
import type { Advice, CreateIndex, Statement } from "../contract.ts";
import type { Built } from "./advice.ts";
import type { AdvisorContext } from "./kit.ts";
import { blocksOf, undone } from "./work.ts";

/** Of what the evidence adds up to, what the workload's sum has to be at least: nothing of it is left out. */
const SUM_SLACK = 0.5;

/** What an index says of itself makes sense. @param statements how many the request has */
export function expectEvidence(
  t: AdvisorContext,
  { name, evidence }: CreateIndex,
  statements: number,
): void {
  t.ok(evidence.length > 0, "every index has evidence that it makes a statement faster", {
    expected: "at least one statement",
    received: `none for ${name}`,
  });
  for (const { statement, beforeMs, afterMs } of evidence) {
    t.ok(
      Number.isInteger(statement) && statement >= 0 && statement < statements,
      "evidence names a statement of the request by its position",
      { expected: `0 to ${statements - 1}`, received: String(statement) },
    );
    t.ok(afterMs >= 0 && afterMs < beforeMs, "evidence is of a statement that became faster", {
      expected: "0 ≤ afterMs < beforeMs",
      received: `beforeMs ${beforeMs}, afterMs ${afterMs} for ${name}`,
    });
  }
}

/** The workload's own figures are sums of at least what the evidence has, and say that there is a gain. */
export function expectSums(
  t: AdvisorContext,
  { create, beforeMs, afterMs }: Advice,
  statements: readonly Statement[],
): void {
  const before = new Map(
    create.flatMap(({ evidence }) => evidence).map((each) => [each.statement, each.beforeMs]),
  );
  const least = [...before].reduce(
    (sum, [statement, ms]) => sum + ms * (statements[statement]?.calls ?? 0),
    0,
  );
  t.ok(beforeMs >= least * SUM_SLACK, "the workload's time has that of each statement in it", {
    expected: `beforeMs ${least} or more: calls × beforeMs of what the evidence names`,
    received: String(beforeMs),
  });
  const right = create.length === 0 ? afterMs <= beforeMs : afterMs < beforeMs;
  t.ok(right && afterMs >= 0, "with what is advised the workload takes less time", {
    expected: create.length === 0 ? "afterMs ≤ beforeMs" : "afterMs < beforeMs",
    received: `beforeMs ${beforeMs}, afterMs ${afterMs}`,
  });
}

/** Without the index, all others being there, each statement that its evidence names touches more blocks. */
export async function expectEvidenceHolds(
  t: AdvisorContext,
  client: pg.Client,
  { create }: Advice,
  built: readonly Built[],
  statements: readonly Statement[],
): Promise<void> {
  for (const [at, { name, definition }] of built.entries()) {
    const named = (create[at]?.evidence ?? []).map(
      ({ statement }) => statements[statement]?.sql ?? "",
    );
    const withAll = await blocksOf(client, named);
    const without = await undone(client, async () => {
      await client.query(`DROP INDEX ${name}`);
      return blocksOf(client, named);
    });
    for (const [which, sql] of named.entries()) {
      const [is = 0, was = 0] = [withAll[which], without[which]];
      t.ok(is < was, "an index's evidence is of what this index makes faster", {
        expected: `more than ${is} blocks without ${definition}`,
        received: `${was} blocks: ${sql}`,
      });
    }
  }
}
