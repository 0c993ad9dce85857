/** Advice as text. */

import Table from "cli-table3";
import type { ApplyResult, DropIndex } from "../../contract.ts";
import { RAN_OUT, type Reported } from "../report/report.ts";
import { formatAtLeast, formatChange, formatCount, formatMs, formatSize } from "./units.ts";

/** In characters: two tables' worth of a laptop's terminal. */
const SQL_WIDTH = 60;
/** So many of what was rejected are enough; the page and the JSON have all. */
const REJECTED_SHOWN = 10;

export function textOf({ advice, workload, environment }: Reported): string {
  const { create, drop, rejected, skipped, indexes, statements, beforeMs, afterMs } = advice;
  const parts = [
    `${environment.database}, PostgreSQL ${environment.server}: ${formatMs(beforeMs)} of work becomes ${formatMs(afterMs)} (${formatChange(beforeMs, afterMs)}), measured on a copy; ` +
      `${formatCount(advice.whatIf.calls)} questions to the planner (${advice.whatIf.kind}), ${formatMs(advice.tookMs)} in all.`,
  ];
  if (workload.forgotten > 0) {
    parts.push(
      `pg_stat_statements has forgotten ${formatCount(workload.forgotten)} statements since it was reset: this is not all that was asked. A larger pg_stat_statements.max keeps more.`,
    );
  }
  if (advice.ranOut) parts.push(RAN_OUT);
  if (create.length + drop.length === 0 && !advice.ranOut) {
    parts.push("Nothing to recommend: no index was seen to make this workload faster.");
  }
  if (create.length > 0) {
    parts.push(
      section(
        "Build",
        ["index", "size", "gains", "sure", "makes faster"],
        create.map((index, i) => [
          index.name,
          formatSize(index.sizeBytes),
          formatMs(indexes[i]?.gainMs ?? Number.NaN),
          `${Math.round(100 * (indexes[i]?.confidence ?? 0))} %`,
          index.evidence
            .map(
              (each) =>
                `#${each.statement + 1} ${formatMs(each.beforeMs)} → ${formatMs(each.afterMs)}`,
            )
            .slice(0, 4)
            .join("\n"),
        ]),
      ),
      create.map(({ sql }) => `${sql};`).join("\n"),
    );
  }
  if (drop.length > 0) {
    parts.push(
      section(
        "Drop",
        ["index", "because"],
        drop.map((each) => [each.name, reasonOf(each)]),
      ),
      "That nobody misses them follows from what they are; the workload was not run without them.",
      drop.map(({ sql }) => `${sql};`).join("\n"),
    );
  }
  if (statements.length > 0) {
    const shares = [...statements].sort((a, b) => b.calls * b.beforeMs - a.calls * a.beforeMs);
    parts.push(
      section(
        "Statements",
        ["", "calls", "before", "after", "change", "statement"],
        shares.map((each) => [
          `#${each.statement + 1}`,
          formatCount(each.calls),
          formatAtLeast(each.beforeMs, each.isStoppedBefore),
          formatAtLeast(each.afterMs, each.isStoppedAfter),
          formatChange(each.beforeMs, each.afterMs),
          shortened(each.sql),
        ]),
      ),
    );
  }
  if (rejected.length > 0) {
    const more = rejected.length - REJECTED_SHOWN;
    parts.push(
      section(
        more > 0
          ? `Considered and left alone (${more} more in --html and --json)`
          : "Considered and left alone",
        ["index", "because"],
        rejected.slice(0, REJECTED_SHOWN).map(({ sql, why }) => [shortened(sql), why]),
      ),
    );
  }
  if (skipped.length > 0) {
    parts.push(
      section(
        "Skipped",
        ["", "statement", "because"],
        skipped.map(({ statement, why }) => [
          `#${statement + 1}`,
          shortened(workload.statements[statement]?.sql ?? ""),
          why,
        ]),
      ),
    );
  }
  return `${parts.join("\n\n")}\n`;
}

export function textOfApplied({ built, dropped, failed }: ApplyResult): string {
  const lines = [
    ...built.map((name) => `built    ${name}`),
    ...dropped.map((name) => `dropped  ${name}`),
    ...failed.map(({ name, why }) => `failed   ${name}: ${why}`),
  ];
  return `${lines.join("\n")}\n`;
}

export function reasonOf({ reason, keep }: DropIndex): string {
  if (reason === "duplicate") return `${keep} is the same`;
  if (reason === "redundant-prefix") return `${keep} begins with the same columns`;
  return "its build failed; it costs writes and serves nobody";
}

function section(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const table = new Table({
    head: [...head],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    wordWrap: false,
  });
  table.push(...rows.map((row) => [...row]));
  return `${title}\n${table.toString()}`;
}

function shortened(sql: string): string {
  const line = sql.replaceAll(/\s+/g, " ").trim();
  return line.length > SQL_WIDTH ? `${line.slice(0, SQL_WIDTH - 1)}…` : line;
}
