import type { RunContext } from "../../context.ts";

export interface FetchPlan {
  readonly source: string;
  readonly what: string;
  readonly bytes: number;
}
export function fetched(_env: NodeJS.ProcessEnv): { file: string; source: string; libraries?: string } | undefined {
  return undefined;
}
export function fetchPlan(_env: NodeJS.ProcessEnv): FetchPlan | undefined {
  return undefined;
}
export async function fetchServer(_context: RunContext): Promise<{ file: string; source: string; libraries?: string } | undefined> {
  return undefined;
}
export function installHint(): string {
  return "apt-get install redis-server";
}
