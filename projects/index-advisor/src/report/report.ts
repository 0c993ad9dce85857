import type { Workload } from "../../contract.ts";
import type { AdviceInDetail } from "../advise.ts";

export const RAN_OUT =
  "There was not enough time to look at every index, or to measure everything: with more of it there may be more advice, or better. Statements that were stopped take at least as long as it says (≥).";

/** What the figures hold for. */
export interface Environment {
  readonly at: Date;
  readonly database: string;
  /** `15.20` */
  readonly server: string;
  /** For people: a file, or pg_stat_statements. */
  readonly source: string;
  readonly budgetBytes: number | undefined;
  readonly databaseBytes: number;
  /** Settings that plans and times depend on. */
  readonly settings: Readonly<Record<string, string>>;
  /** What running these statements could have done besides, for people. */
  readonly risks: readonly string[];
}

export interface Reported {
  readonly advice: AdviceInDetail;
  readonly workload: Workload;
  readonly environment: Environment;
}
