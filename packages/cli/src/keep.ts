import { rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { processRef } from "@db-katas/engines";
import { formatCheckLine, formatFailure, type HeldCheck, terminalPaint } from "@db-katas/grading";
import type { Progress } from "./output.ts";
import type { Session } from "./session.ts";
import type { Workspace } from "./workspace.ts";

/** What `kata shell` needs to know of a check that another `kata grade --keep` holds. */
export interface Kept {
  readonly pid: number;
  /** Of that process: pids are used again. */
  readonly started: string;
  readonly kata: string;
  readonly check: string;
  /** What it held, by role; the address has full rights. */
  readonly engines: Readonly<Record<string, { readonly engine: string; readonly url: string }>>;
}

function fileOf(workspace: Workspace): string {
  return join(workspace.root, ".kata", "kept.json");
}

/**
 * For `grade`'s `hold`: says what there is to look at, and leaves it alone until the run is ended
 * from outside.
 */
export function keepUntilEnded(
  workspace: Workspace,
  kata: string,
  session: Session,
  progress: Progress,
): (held: HeldCheck) => Promise<void> {
  return async (held) => {
    progress.line(formatCheckLine(held.result, terminalPaint));
    progress.line(formatFailure(held.result, terminalPaint));
    const file = fileOf(workspace);
    const kept: Kept = {
      pid: process.pid,
      started: processRef(process.pid)?.started ?? "",
      kata,
      check: held.result.id,
      engines: Object.fromEntries(
        held.engines.map(({ role, engine, adminUrl }) => [role, { engine, url: adminUrl }]),
      ),
    };
    const ended = new Promise<void>((resolve) => {
      if (session.signal.aborted) resolve();
      session.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await mkdir(dirname(file), { recursive: true });
    // It holds passwords, of servers that live no longer than this run.
    await writeFile(file, JSON.stringify(kept), { mode: 0o600 });
    progress.line(formatHeld(held));
    progress.update("kept as it was; Ctrl-C ends it");
    await ended;
    rmSync(file, { force: true });
  };
}

/** What a living run keeps at this moment, if there is one. */
export async function findKept(workspace: Workspace): Promise<Kept | undefined> {
  const text = await readFile(fileOf(workspace), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const kept = JSON.parse(text) as Kept;
  return processRef(kept.pid)?.started === kept.started ? kept : undefined;
}

export function formatHeld({ engines, nodes, faults, result }: HeldCheck): string {
  const head = (text: string) => terminalPaint("bold", text);
  return [
    "",
    head(`Kept as ${result.id} left it.${engines.length > 0 ? " In another terminal:" : ""}`),
    ...engines.flatMap(({ role, engine, adminUrl }) => [
      `  pnpm kata shell ${role}`,
      terminalPaint("gray", `      ${directly(engine, adminUrl)}`),
    ]),
    ...(faults.length > 0 ? [`  still in force: ${faults.join(", ")}`] : []),
    `  still running: ${nodes.map(({ name, pid }) => `node ${name} (pid ${pid})`).join(", ") || "no node"}`,
    "Ctrl-C here ends it all, and nothing is left behind.",
  ].join("\n");
}

function directly(engine: string, url: string): string {
  if (engine === "postgres") return `psql '${url}'`;
  if (engine === "redis") return `redis-cli --no-auth-warning -u '${url}'`;
  return url;
}
