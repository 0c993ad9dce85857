import type { ChaosRun } from "./run.ts";
export function renderPage(run: ChaosRun): string {
  return `<pre>${run.submission}</pre>`;
}
