/**
 * `pnpm --filter @db-katas/session-failover experiment <name>`: measures what the decision log claims, on
 * real engines. Exits with 1 when a claim does not hold, and with 2 when there is no such experiment.
 */
import { circumstances, save, table } from "../bench/report.ts";
import { failBack } from "./fail-back.ts";
import { outage } from "./outage.ts";
import { type Experiment, openStage } from "./stage.ts";
import { traffic } from "./traffic.ts";

const experiments: Readonly<Record<string, Experiment>> = {
  outage,
  "fail-back": failBack,
  traffic,
};

const name = process.argv[2] ?? "";
const experiment = experiments[name];
if (experiment) {
  await using stage = await openStage();
  const finding = await experiment(stage);
  const about = circumstances([stage.postgres, stage.redis]);
  const file = await save(name, { ...about, ...finding });
  console.log(table(finding.head, finding.rows));
  console.log(`${about.cores} cores, ${about.date}, in ${file}`);
  console.log(`${finding.claim} ${finding.holds ? "It holds." : "It does not hold."}`);
  process.exitCode = finding.holds ? 0 : 1;
} else {
  console.error(`Which experiment? One of: ${Object.keys(experiments).join(", ")}.`);
  process.exitCode = 2;
}
