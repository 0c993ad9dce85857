import { totalmem } from "node:os";
import type { Capability, EngineRun, Offer, ProbeResult } from "@db-katas/engines";
import {
  engineOf,
  enginesOf,
  type Kata,
  loadRubric,
  type Rubric,
  requestFor,
  terminalPaint,
} from "@db-katas/grading";
import prettyBytes from "pretty-bytes";
import { exitCodeOf, type Finding, formatFinding, stateFor } from "./findings.ts";

/** Whether one exercise can be graded on this machine. */
export interface ExerciseReport {
  readonly exercise: string;
  readonly ready: boolean;
  readonly checks: number;
  /** Ids of checks that would come out as not graded. */
  readonly notGraded: readonly string[];
  /** What is fetched before, or at, first use, in bytes; about. */
  readonly fetchBytes: number;
  readonly findings: readonly Finding[];
}

interface Need {
  readonly engine: string;
  readonly needs: readonly Capability[];
  readonly probe: ProbeResult;
  /** The checks that ask for just this. */
  readonly checks: readonly string[];
}

export async function examineExercise(kata: Kata, run: EngineRun): Promise<ExerciseReport> {
  const rubric = await loadRubric(kata, { mayBeEmpty: true });
  const needs = await needsOf(rubric, run);
  const lacking = needs.filter(({ probe }) => !probe.chosen);
  const notGraded = [...new Set(lacking.flatMap(({ checks }) => checks))];
  const engines = enginesOf(kata.definition);
  const plain = await Promise.all(engines.map((engine) => run.probe(engine)));
  const findings = plain.flatMap((probe) => {
    const asked = lacking.filter(({ engine }) => engine === probe.engine);
    // Of an engine that is not to be had, nobody needs to hear what it could not do.
    return probe.chosen && asked.length > 0
      ? [engineFinding(probe), capabilityFinding(probe, asked)]
      : [engineFinding(probe)];
  });
  return {
    exercise: kata.name,
    ready: exitCodeOf(findings) === 0,
    checks: rubric.length,
    notGraded,
    fetchBytes: plain.reduce((sum, { chosen }) => sum + (chosen?.fetch?.bytes ?? 0), 0),
    findings,
  };
}

export function formatExercise(report: ExerciseReport): string {
  const { exercise, ready, checks, notGraded, fetchBytes, findings } = report;
  const graded = `${checks - notGraded.length} of ${checks} checks can be graded`;
  const fetch = fetchBytes > 0 ? `, about ${prettyBytes(fetchBytes)} to be fetched` : "";
  const head = `${terminalPaint("bold", exercise)}: ${ready ? "ready" : "not ready"}, ${graded}${fetch}`;
  return [head, ...findings.map(formatFinding)].join("\n");
}

async function needsOf(rubric: Rubric, run: EngineRun): Promise<Need[]> {
  const asked = new Map<string, Omit<Need, "probe"> & { checks: string[] }>();
  for (const check of rubric) {
    for (const [role, wanted] of Object.entries(check.engines)) {
      const engine = engineOf(role, wanted);
      const needs = [...requestFor(wanted).needs].sort();
      const key = [engine, ...needs].join(" ");
      const known = asked.get(key) ?? { engine, needs, checks: [] };
      known.checks.push(check.id);
      asked.set(key, known);
    }
  }
  const all = [...asked.values()];
  return Promise.all(
    all.map(async (each) => ({ ...each, probe: await run.probe(each.engine, each.needs) })),
  );
}

/** @param machineBytes of memory that this machine has */
export function engineFinding(
  { engine, chosen, offers }: ProbeResult,
  machineBytes = totalmem(),
): Finding {
  if (chosen) {
    const version = chosen.version ? `${chosen.version}, ` : "";
    const detail = `${version}as ${chosen.provider}: ${chosen.source}${fetchOf(chosen)}${memoryOf(chosen)}`;
    const { memoryBytes = 0 } = chosen;
    if (memoryBytes > machineBytes) {
      const remedy = `a machine with ${prettyBytes(memoryBytes)} of memory or more; this one has ${prettyBytes(machineBytes)}`;
      return { what: engine, state: "administrator", detail, remedy };
    }
    const fetch = chosen.fetch
      ? { remedy: `pnpm kata engines install ${engine}, or wait for it at first use` }
      : {};
    return { what: engine, state: "ok", detail, ...fetch };
  }
  return {
    what: engine,
    state: stateFor(remediesOf(offers)),
    detail: "not to be had here",
    reasons: offers.flatMap((offer) => reasonOf(offer)),
  };
}

function capabilityFinding(
  { engine, chosen, offers }: ProbeResult,
  asked: readonly Need[],
): Finding {
  const wanted = new Set(asked.flatMap(({ needs }) => needs));
  const lacking = [...wanted].filter((need) => !chosen?.capabilities.includes(need)).sort();
  const checks = new Set(asked.flatMap((each) => each.checks));
  return {
    what: engine,
    state: stateFor(remediesOf(offers)),
    detail: `what is here can't do ${lacking.join(", ")}, needed by ${[...checks].join(", ")}`,
    reasons: offers.flatMap((offer) => (offer === chosen ? [] : reasonOf(offer, lacking))),
  };
}

function fetchOf({ fetch }: Extract<Offer, { offered: true }>): string {
  return fetch ? `; to be fetched: ${fetch.what}, about ${prettyBytes(fetch.bytes)}` : "";
}

function memoryOf({ memoryBytes }: Extract<Offer, { offered: true }>): string {
  return memoryBytes === undefined ? "" : `; it may take ${prettyBytes(memoryBytes)} of memory`;
}

function remediesOf(offers: readonly Offer[]): string[] {
  return offers.flatMap((offer) => (!offer.offered && offer.remedy ? [offer.remedy] : []));
}

/** A provider that has nothing to do with the engine, and no way to change that, says nothing here. */
function reasonOf(offer: Offer, needs: readonly Capability[] = []): string[] {
  if (offer.offered) {
    const lacking = needs.filter((need) => !offer.capabilities.includes(need));
    return lacking.length > 0 ? [`${offer.provider}: can't do ${lacking.join(", ")}`] : [];
  }
  return offer.remedy ? [`${offer.provider}: ${offer.reason}  →  ${offer.remedy}`] : [];
}
