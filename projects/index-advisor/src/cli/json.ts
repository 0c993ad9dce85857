import type { Reported } from "../report/report.ts";

/** All that a program could want to know; candidates and the catalogue are left out. */
export function jsonOf({ advice, workload, environment }: Reported): string {
  const { queries: _, candidates, catalog: __, indexes, ...told } = advice;
  return JSON.stringify(
    {
      ...told,
      indexes: indexes.map(({ candidate, ...rest }) => ({ ...rest, index: candidate.index })),
      considered: candidates.length,
      forgotten: workload.forgotten,
      environment,
    },
    null,
    2,
  );
}
